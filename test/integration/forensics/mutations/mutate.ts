import { type Draft, execId, HOOK, loss, OTHER_BOOT, text, time } from '../../../check/craft.ts';
import { lostGap } from '../../../forensics/craft.ts';
import { type Mutation, randomness } from './choose.ts';
import type { Kind } from './kinds.ts';
import { idOf, recordsOf, type Step, stepsOf } from './sound.ts';

/** The lines of a journal while it is changed, and the places that a mutation chooses. */
interface Work {
  readonly records: Draft[];
  /** The lines that differ from what their records say. */
  readonly lines: Map<Draft, string>;
  /** Returns one of the records that match; throws NoPlace if there is none. */
  pick(matches: (record: Draft, at: number) => boolean): Draft;
  below(limit: number): number;
}

type Change = (work: Work) => void;

/** A journal has no place for a change. */
class NoPlace extends Error {}

/** Returns the lines of a sound journal with one change, or unchanged without a mutation. */
export function mutated(name: Mutation['journal'], mutation?: Mutation): string[] {
  const steps = stepsOf(name);
  const records = recordsOf(name, steps);
  if (mutation === undefined) return records.map(text);
  const lines = new Map<Draft, string>();
  const pick: Work['pick'] = (matches) => {
    const found = records.filter(matches);
    const [chosen] = found.slice(mutation.position % Math.max(1, found.length));
    if (chosen === undefined) throw new NoPlace();
    return chosen;
  };
  const work: Work = { records, lines, pick, below: randomness(mutation.position) };
  if (mutation.kind === 'rewrite-leaf') return rewritten(name, steps, work);
  try {
    CHANGES[mutation.kind](work);
  } catch (error) {
    if (!(error instanceof NoPlace)) throw error;
    // The journal of several runs has a place for every change but that of a pod.
    const other = mutation.kind === 'alter-pod' ? 'pods' : 'runs';
    return mutated(other, { ...mutation, journal: other });
  }
  return records.map((record) => lines.get(record) ?? text(record));
}

const isExec = ({ action }: Draft) => action === 'exec';
const isLinked = (record: Draft) => isExec(record) && record.parent_cause !== null;
const isLoss = ({ action, attributes }: Draft) =>
  action === 'journal.loss' &&
  attributes['vcml.loss.cpu'] !== undefined &&
  attributes['vcml.loss.stage'] !== 'retention';
const isAction = (name: string) => (record: Draft) => record.action === name;

/** Changes one record that matches. */
function change(
  matches: (record: Draft) => boolean,
  how: (record: Draft, work: Work) => void,
): Change {
  return (work) => {
    const record = work.pick(matches);
    how(record, work);
  };
}

function set(name: string, value: (old: unknown, record: Draft) => unknown): Change {
  return change(isExec, (record) => {
    record.attributes[name] = value(record.attributes[name], record);
  });
}

function linkTo(target: (record: Draft, at: number, work: Work) => Draft | undefined): Change {
  return (work) => {
    const record = work.pick((one, at) => isLinked(one) && target(one, at, work) !== undefined);
    record.parent_cause = target(record, work.records.indexOf(record), work)?.id;
  };
}

/** Returns the exec that is next in a direction and is not the cause, of the same boot or another. */
function near(step: 1 | -1, isSameBoot = true) {
  return ({ attributes, parent_cause }: Draft, at: number, { records }: Work) => {
    const others = step === 1 ? records.slice(at + 1) : records.slice(0, at).reverse();
    return others.find(
      (one) =>
        isExec(one) &&
        one.id !== parent_cause &&
        (one.attributes['vcml.boot.id'] === attributes['vcml.boot.id']) === isSameBoot,
    );
  };
}

function dropLink(how: (record: Draft, cause: string) => void): Change {
  return change(isLinked, (record) => {
    const cause = String(record.parent_cause);
    record.parent_cause = null;
    record.permitted_by = 'unobserved_parent';
    how(record, cause);
  });
}

/** Drops a record that matches. */
function drop(matches: (record: Draft, work: Work) => boolean): Change {
  return (work) => {
    const record = work.pick((one) => matches(one, work));
    work.records.splice(work.records.indexOf(record), 1);
  };
}

const hasChildren = (record: Draft, { records }: Work) =>
  isExec(record) && records.some(({ parent_cause }) => parent_cause === record.id);
const isLeaf = (record: Draft, work: Work) => isExec(record) && !hasChildren(record, work);

/** Puts a copy of a record behind it. */
function double(matches: (record: Draft) => boolean): Change {
  return (work) => {
    const record = work.pick(matches);
    work.records.splice(work.records.indexOf(record), 0, record);
  };
}

function move(matches: (record: Draft) => boolean, to: (at: number, work: Work) => number): Change {
  return (work) => {
    const record = work.pick(matches);
    const at = work.records.indexOf(record);
    const place = to(at, work);
    work.records.splice(at, 1);
    work.records.splice(place, 0, record);
  };
}

/** Changes the text of one line. */
function rewrite(how: (line: string, work: Work) => string): Change {
  return (work) => {
    const record = work.pick(() => true);
    work.lines.set(record, how(text(record), work));
  };
}

/** Adds a loss behind a record, with the id that it would have if nothing else were changed. */
function forge(work: Work, behind: Draft, attributes: Record<string, unknown>): void {
  const at = Number(BigInt(String(behind.attributes['vcml.boot_time'])) - HOOK) + 500;
  const place = work.records.indexOf(behind) + 1;
  const record = loss(at, 0, 0, 1, 1);
  const about = work.records.slice(0, place).filter((one) => !isExec(one));
  const n = about.length - 1 - about.findLastIndex(isAction('journal.start'));
  for (const name of ['vcml.boot.id', 'vcml.hook.id'])
    record.attributes[name] = behind.attributes[name];
  record.attributes['vcml.loss.hook_id'] = behind.attributes['vcml.hook.id'];
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined) delete record.attributes[name];
    else record.attributes[name] = value;
  }
  record.id = idOf(record, n + 1);
  work.records.splice(place, 0, record);
}

const numbers = (cpu: unknown, first: number, last: number, stage = 'ring_buffer') => ({
  'vcml.loss.stage': stage,
  'vcml.loss.cpu': cpu,
  'vcml.loss.first_seq': first,
  'vcml.loss.last_seq': last,
  'vcml.loss.count': last - first + 1,
});
const NO_NUMBERS = {
  'vcml.loss.cpu': undefined,
  'vcml.loss.first_seq': undefined,
  'vcml.loss.last_seq': undefined,
  'vcml.loss.count': undefined,
};

function forgeLoss(
  matches: (record: Draft, work: Work) => boolean,
  attributes: (record: Draft) => Record<string, unknown>,
  isDropped = false,
): Change {
  return (work) => {
    const record = work.pick((one) => matches(one, work));
    forge(work, record, attributes(record));
    if (isDropped) work.records.splice(work.records.indexOf(record), 1);
  };
}
const ownNumber = ({ attributes }: Draft) =>
  numbers(attributes['vcml.cpu'], Number(attributes['vcml.seq']), Number(attributes['vcml.seq']));
const isLastOfCpu = (record: Draft, { records }: Work) =>
  isExec(record) &&
  !records.some(
    ({ attributes }) =>
      attributes['vcml.hook.id'] === record.attributes['vcml.hook.id'] &&
      attributes['vcml.cpu'] === record.attributes['vcml.cpu'] &&
      Number(attributes['vcml.seq']) > Number(record.attributes['vcml.seq']),
  );

function resize(by: 1 | -1): Change {
  return change(isLoss, ({ attributes }) => {
    attributes['vcml.loss.last_seq'] = Number(attributes['vcml.loss.last_seq']) + by;
    attributes['vcml.loss.count'] = Number(attributes['vcml.loss.count']) + by;
  });
}

function setLoss(name: string, value: (old: unknown) => unknown): Change {
  return change(isLoss, ({ attributes }) => {
    attributes[name] = value(attributes[name]);
  });
}

const otherDigit = (id: unknown) =>
  String(id).replace(/[0-9a-f]/, (digit) => (digit === '0' ? '1' : '0'));

const CHANGES: Readonly<Record<Exclude<Kind, 'rewrite-leaf'>, Change>> = {
  'link-unknown': change(isLinked, (record) => {
    record.parent_cause = execId(999, 999);
  }),
  'link-other': linkTo(near(-1)),
  'link-later': linkTo(near(1)),
  'link-self': linkTo((record) => record),
  'link-about': linkTo((_, at, { records }) => records.slice(0, at).find((one) => !isExec(one))),
  'link-boot': linkTo(near(-1, false)),
  'link-dropped': dropLink(() => {}),
  'link-untracked': (work) => {
    const record = work.pick(isLinked);
    record.parent_cause = null;
    record.permitted_by = 'unobserved_parent';
    record.attributes['vcml.gap.reason'] = 'untracked';
    const run = work.records.slice(work.records.indexOf(record));
    const end = run.find(({ action }) => action === 'journal.stop' || action === 'journal.start');
    if (end?.action === 'journal.stop')
      end.attributes['vcml.journal.gaps'] = Number(end.attributes['vcml.journal.gaps']) + 1;
  },
  'link-lost-present': dropLink((record, cause) => {
    Object.assign(record.attributes, lostGap(cause));
  }),
  'link-lost-forged': dropLink((record) => {
    Object.assign(record.attributes, lostGap(execId(999, 999)));
  }),
  'gap-linked': (work) => {
    const { records } = work;
    const target = (record: Draft) => near(-1)(record, records.indexOf(record), work);
    const record = work.pick(
      (one) => isExec(one) && one.parent_cause === null && target(one) !== undefined,
    );
    record.parent_cause = target(record)?.id;
    record.permitted_by = 'parent_process_context';
    for (const name of Object.keys(record.attributes))
      if (name.startsWith('vcml.gap.')) delete record.attributes[name];
  },
  'gap-reason': change(
    (record) => isExec(record) && record.parent_cause === null,
    ({ attributes }) => {
      for (const name of Object.keys(attributes))
        if (name.startsWith('vcml.gap.')) delete attributes[name];
      attributes['vcml.gap.reason'] = 'untracked';
    },
  ),
  'drop-leaf': drop(isLeaf),
  'drop-parent': drop(hasChildren),
  'drop-loss': drop(({ action }) => action === 'journal.loss'),
  'drop-start': drop(isAction('journal.start')),
  'drop-stop': drop(isAction('journal.stop')),
  'drop-several': ({ records, below }) => {
    const count = 2 + below(4);
    records.splice(1 + below(records.length - count - 1), count);
  },
  'drop-tail': ({ records, below }) => {
    records.splice(-1 - below(5));
  },
  'drop-head': ({ records, below }) => {
    records.splice(0, 2 + below(7));
  },
  'double-exec': double(isExec),
  'double-loss': double(({ action }) => action === 'journal.loss'),
  'double-run': double(({ action }) => action === 'journal.start' || action === 'journal.stop'),
  'double-at-end': (work) => {
    const record = work.pick(() => true);
    work.records.push(record);
  },
  'move-next': ({ records, below }) => {
    const at = below(records.length - 1);
    records.splice(at, 2, ...records.slice(at, at + 2).reverse());
  },
  'move-far': move(
    () => true,
    (at, { records, below }) => (at + 10 + below(records.length - 20)) % records.length,
  ),
  'move-loss': move(isLoss, (_, { records }) => records.length),
  byte: rewrite((line, { below }) => {
    const at = below(line.length);
    const code = line.charCodeAt(at);
    // Of a letter another letter, so that the line stays one.
    const other = /[\w]/.test(line[at] ?? '') ? code ^ 1 : 33 + ((code + 1) % 90);
    return `${line.slice(0, at)}${String.fromCharCode(other)}${line.slice(at + 1)}`;
  }),
  torn: rewrite((line) => line.slice(0, line.length / 2)),
  'alter-id': change(isExec, (record) => {
    record.id = otherDigit(record.id);
  }),
  'alter-time': change(isExec, (record) => {
    record.timestamp = BigInt(String(record.timestamp)) + 3_600_000_000_000n;
  }),
  'alter-boot-time': set('vcml.boot_time', (old) => String(BigInt(String(old)) + 1000n)),
  'alter-pid': change(isExec, ({ actor }) => {
    actor.pid = Number(actor.pid) + 1;
  }),
  'alter-seq': set('vcml.seq', (old) => Number(old) + 1),
  'alter-cpu': set('vcml.cpu', (old) => (Number(old) + 1) % 3),
  'alter-hook': set('vcml.hook.id', (old) => String(BigInt(String(old)) + 7n)),
  'alter-boot': set('vcml.boot.id', () => 'aaaaaaaa-1f0a-4a63-8f0e-6b8f6b1a2c3d'),
  'alter-object': change(isExec, (record) => {
    record.object = '/usr/bin/true';
  }),
  'alter-args': set('process.command_args', () => ['x', 'other']),
  'alter-args-dropped': set('process.command_args', () => ['x']),
  'alter-uid': change(isExec, ({ actor }) => {
    actor.uid = 1000;
  }),
  'alter-pod': change(
    ({ resource }) => 'k8s.pod.name' in resource,
    (record) => {
      record.resource = { ...record.resource, 'k8s.pod.name': 'other' };
    },
  ),
  'alter-missing': set('process.executable.path', () => undefined),
  'alter-permitted': change(isExec, (record) => {
    record.permitted_by =
      record.parent_cause === null ? 'parent_process_context' : 'unobserved_parent';
  }),
  'alter-created': set('process.creation.time', (_, { attributes }) =>
    time(BigInt(String(attributes['vcml.boot_time'])) + 1_000_000_000n),
  ),
  'stop-counts': change(isAction('journal.stop'), ({ attributes }) => {
    attributes['vcml.journal.records'] = Number(attributes['vcml.journal.records']) + 1;
  }),
  'stop-state': change(isAction('journal.stop'), ({ attributes }) => {
    const old = attributes['vcml.hook.state'];
    attributes['vcml.hook.state'] = old === 'kept' ? 'detached' : 'kept';
  }),
  'start-next': change(isAction('journal.start'), ({ attributes }) => {
    const [first, ...others] = attributes['vcml.hook.next_seq'] as number[];
    attributes['vcml.hook.next_seq'] = [Number(first) + 1, ...others];
  }),
  'loss-forged-present': forgeLoss(isExec, ownNumber),
  'loss-forged-beyond': forgeLoss(isLastOfCpu, ({ attributes }) => {
    const next = Number(attributes['vcml.seq']) + 1;
    return numbers(attributes['vcml.cpu'], next, next + 4);
  }),
  'loss-for-leaf': forgeLoss(isLeaf, ownNumber, true),
  'loss-for-parent': forgeLoss(hasChildren, ownNumber, true),
  'loss-wider': resize(1),
  'loss-narrower': resize(-1),
  'loss-count': setLoss('vcml.loss.count', (old) => Number(old) + 1),
  'loss-stage': setLoss('vcml.loss.stage', (old) => (old === 'quiet' ? 'upgrade' : 'quiet')),
  'loss-retention': setLoss('vcml.loss.stage', () => 'retention'),
  'loss-cpu': setLoss('vcml.loss.cpu', (old) => (Number(old) + 1) % 3),
  'loss-hook': setLoss('vcml.loss.hook_id', (old) => String(BigInt(String(old)) + 7n)),
  'loss-reboot-forged': forgeLoss(isExec, () => ({
    ...NO_NUMBERS,
    'vcml.loss.stage': 'reboot',
    'vcml.loss.hook_id': undefined,
    'vcml.loss.boot_id': OTHER_BOOT,
    'vcml.loss.next_seq': [1, 1, 1],
  })),
  'loss-kernel-forged': forgeLoss(isExec, () => ({
    ...NO_NUMBERS,
    'vcml.loss.stage': 'kernel',
    'vcml.loss.count': 3,
  })),
};

/** Drops an exec without children, and makes the journal again. */
function rewritten(name: Mutation['journal'], steps: readonly Step[], work: Work): string[] {
  const at = work.records.indexOf(work.pick((one) => isLeaf(one, work)));
  const kept = steps.filter((_, index) => index !== at);
  return recordsOf(name, kept).map(text);
}
