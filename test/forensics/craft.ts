import {
  BOOT,
  type Draft,
  draft,
  exec,
  HOOK,
  OTHER_BOOT,
  type Sound,
  start,
  text,
} from '../check/craft.ts';
import { uuid5 } from '../check/uuid.ts';

/** A change that makes a journal from a sound one. */
export type Change = (records: Sound) => readonly (Draft | string)[];

/** Returns the records of a journal, first to last. */
export const inOrder = (records: Sound) => Object.values(records);
/** Returns the sound journal with a change of its records. */
export const changed =
  (change: (records: Sound) => void): Change =>
  (records) => {
    change(records);
    return inOrder(records);
  };

/** Returns a record of the vCML reference, which has only core fields. */
export const plain = (id: string, more: Record<string, unknown> = {}) =>
  text({
    id,
    timestamp: 1_764_000_000_000_000_000n,
    actor: { pid: 7, uid: 0 },
    action: 'exec',
    object: '/bin/x',
    permitted_by: 'root_event:boot',
    parent_cause: null,
    ...more,
  });
/** Adds lines unchanged. */
export const reference =
  (...lines: string[]): Change =>
  () =>
    lines;

/** Returns a chain that continues in another boot, with its own numbers, behind the end of the first. */
export const reboot = (parent: string | undefined): Draft[] => {
  const id = (name: string) => uuid5(OTHER_BOOT, name);
  const begin = start([1, 1], 'attached', 70);
  begin.id = id(`${HOOK + 70n}:journal.start:0`);
  const end = rebootLoss(71);
  end.id = id(`${HOOK + 71n}:journal.loss:1`);
  const record = exec(80, 200, 0, 1, parent === undefined ? {} : { parent });
  record.id = id(`${HOOK + 80n}:200`);
  for (const { attributes } of [begin, end, record]) attributes['vcml.boot.id'] = OTHER_BOOT;
  return [begin, end, record];
};

/** Returns the loss of a boot's end. */
export const rebootLoss = (at: number, boot = BOOT) =>
  draft(at, 'journal.loss', 1, {
    'vcml.loss.stage': 'reboot',
    'vcml.loss.boot_id': boot,
    'vcml.loss.next_seq': [6, 3],
  });

/** Returns a hook that follows in the same boot, with its own numbers, and what is behind its start. */
export const nextHook = (...behind: readonly Draft[]): Draft[] => {
  const hook = { 'vcml.hook.id': String(HOOK + 65n) };
  const begin = start([1], 'attached', 70);
  const record = exec(80, 200, 0, 1, hook);
  Object.assign(begin.attributes, hook);
  return [begin, ...behind, record];
};

/** Returns the loss of a hook that somebody removed. */
export const removal = (hook = HOOK) =>
  draft(71, 'journal.loss', 1, {
    'vcml.loss.stage': 'kernel',
    'vcml.loss.hook_id': String(hook),
    'vcml.loss.next_seq': [6, 3],
    'vcml.loss.since': String(HOOK + 60n),
  });

/** Returns the record about numbers of a CPU that rules withheld. */
export const withheld = (
  cpu: number,
  ranges: readonly string[],
  more: Record<string, unknown> = {},
): Draft => {
  const count = ranges
    .map((range) => range.split('-').map(Number))
    .reduce((sum, [first = 0, last = 0]) => sum + last - first + 1, 0);
  const { object: _, ...record } = draft(65, 'journal.withheld', 0, {
    'vcml.hook.id': String(HOOK),
    'vcml.withheld.hook_id': String(HOOK),
    'vcml.withheld.cpu': cpu,
    'vcml.withheld.ranges': ranges,
    'vcml.withheld.count': count,
    ...more,
  });
  const id = uuid5(BOOT, `${HOOK}:journal.withheld:${cpu}:${ranges.join(',')}`);
  return { ...record, id, actor: {} };
};

/** The resource attributes of a pod's container. */
export const pod = { 'container.id': 'c1', 'k8s.pod.uid': 'u1' };
/** The attributes of a gap whose cause was lost. */
export const lostGap = (cause: string) => ({
  'vcml.gap.reason': 'lost',
  'vcml.gap.lost_cause': cause,
});

/** Journals that have exactly one finding, and near misses that have none. */
export interface Case {
  readonly wrong: readonly Change[];
  readonly right: readonly Change[];
}
