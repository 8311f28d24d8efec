import type { Code } from '../../../../forensics/audit/codes.ts';
import {
  BOOT,
  type Draft,
  draft,
  exec,
  execId,
  HOOK,
  loss,
  OTHER_BOOT,
  type Sound,
  start,
} from '../../../check/craft.ts';
import {
  type Case,
  changed,
  inOrder,
  nextHook,
  plain,
  reboot,
  rebootLoss,
  reference,
  removal,
  withheld,
} from '../../../forensics/craft.ts';

/** Returns the sound journal, at whose end so many execs were recorded. */
const changedStop = (records: Sound, execs: number): Draft[] => {
  records.stop.attributes['vcml.journal.records'] = execs;
  return inOrder(records);
};

/** The cases of links, numbers, losses and runs. */
export const JOURNAL_CASES = {
  LINK_ORDER: {
    wrong: [
      reference(plain('b', { permitted_by: 'a', parent_cause: 'a' }), plain('a')),
      reference(plain('a', { permitted_by: 'a', parent_cause: 'a' })),
    ],
    right: [reference(plain('a'), plain('b', { permitted_by: 'a', parent_cause: 'a' }))],
  },
  LINK_TIME: {
    wrong: [
      () => [start([1, 1]), exec(30, 100, 0, 1), exec(20, 101, 1, 1, { parent: execId(30, 100) })],
    ],
    right: [
      () => [start([1, 1]), exec(30, 100, 0, 1), exec(30, 101, 1, 1, { parent: execId(30, 100) })],
    ],
  },
  LINK_BOOT: {
    wrong: [(r) => [...inOrder(r), ...reboot(execId(50, 104))]],
    right: [(r) => [...inOrder(r), ...reboot(undefined)]],
  },
  LINK_NOT_EXEC: {
    wrong: [
      changed((r) => {
        r.child.parent_cause = r.start.id;
      }),
    ],
    right: [changed(() => {})],
  },
  SEQ_MISSING: {
    wrong: [
      (r) =>
        [r.start, r.root, r.child, r.orphan, exec(50, 104, 0, 3, { parent: execId(40, 103) })].map(
          (one) => (one === r.orphan ? exec(40, 103, 1, 2) : one),
        ),
      () => [start([1]), exec(10, 100, 0, 2)],
      () => [start([1]), loss(5, 1, 0, 1, 2), exec(10, 100, 0, 4)],
      () => [start([1]), exec(10, 100, 0, 1), exec(20, 101, 0, 5), withheld(0, ['2-2', '4-4'])],
      () => [start([1]), exec(10, 100, 0, 1), exec(20, 101, 0, 3), withheld(1, ['2-2'])],
    ],
    right: [
      () => [start([1]), exec(10, 100, 0, 1), exec(20, 101, 0, 4), withheld(0, ['2-3'])],
      () => [start([1]), withheld(0, ['1-1']), exec(10, 100, 0, 2), withheld(0, ['1-1', '3-3'])],
      () => [
        start([1]),
        exec(10, 100, 0, 1),
        loss(15, 1, 0, 3, 4),
        exec(20, 101, 0, 6),
        withheld(0, ['2-2', '5-5']),
      ],
      () => [start([1]), loss(5, 1, 0, 1, 2), exec(10, 100, 0, 3)],
      () => [start([4], 'resumed'), exec(10, 100, 0, 4)],
      () => [exec(10, 100, 0, 4), exec(11, 101, 0, 5)],
    ],
  },
  SEQ_REPEATED: {
    wrong: [
      () => [start([1]), exec(10, 100, 0, 1), exec(11, 101, 0, 1)],
      () => [start([1]), exec(10, 100, 0, 1), exec(11, 101, 0, 2), exec(12, 102, 0, 1)],
    ],
    right: [() => [start([1, 1]), exec(10, 100, 0, 1), exec(11, 101, 1, 1)]],
  },
  SEQ_START: {
    wrong: [
      (r) => [...inOrder(r), start([6, 4], 'resumed', 70)],
      () => [start([1]), exec(10, 100, 0, 1), start([4], 'resumed', 70), withheld(0, ['2-2'])],
    ],
    right: [
      (r) => [...inOrder(r), start([6, 3], 'resumed', 70)],
      () => [start([1]), exec(10, 100, 0, 1), start([4], 'resumed', 70), withheld(0, ['2-3'])],
    ],
  },
  LOSS_FIELDS: {
    wrong: [
      changed((r) => {
        r.loss.attributes['vcml.loss.stage'] = 'somewhere';
      }),
      changed((r) => {
        delete r.loss.attributes['vcml.loss.count'];
        r.stop.attributes['vcml.journal.losses'] = 1;
      }),
      changed((r) => {
        r.loss.attributes['vcml.loss.boot_id'] = BOOT;
      }),
      changed((r) => {
        r.root.attributes['vcml.loss.stage'] = 'quiet';
      }),
      changed((r) => {
        r.loss.attributes['vcml.loss.since'] = String(HOOK);
      }),
      () => [
        start([1]),
        draft(5, 'journal.loss', 1, { 'vcml.loss.stage': 'kernel', 'vcml.loss.count': 3 }),
      ],
      () => [start([1]), draft(5, 'journal.loss', 1, { 'vcml.loss.stage': 'retention' })],
      () => [
        start([1]),
        draft(5, 'journal.loss', 1, {
          'vcml.loss.stage': 'retention',
          'vcml.loss.hook_id': String(HOOK),
          'vcml.loss.count': 3,
        }),
      ],
    ],
    right: [
      () => [
        start([1]),
        draft(5, 'journal.loss', 1, {
          'vcml.loss.stage': 'retention',
          'vcml.loss.hook_id': String(HOOK),
        }),
      ],
      changed((r) => {
        r.loss.attributes['vcml.loss.stage'] = 'quiet';
      }),
      () => [
        start([1]),
        draft(5, 'journal.loss', 1, {
          'vcml.loss.stage': 'reboot',
          'vcml.loss.boot_id': OTHER_BOOT,
          'vcml.loss.next_seq': [4],
        }),
      ],
      () => [
        start([1]),
        draft(5, 'journal.loss', 1, {
          'vcml.loss.stage': 'kernel',
          'vcml.loss.hook_id': String(HOOK),
          'vcml.loss.count': 3,
        }),
      ],
    ],
  },
  LOSS_PRESENT: {
    wrong: [
      () => [start([1]), exec(10, 100, 0, 1), loss(20, 1, 0, 1, 1)],
      () => [start([1]), loss(5, 1, 0, 1, 4), loss(6, 2, 0, 4, 4), exec(10, 100, 0, 5)],
      () => [start([1]), loss(5, 1, 0, 1, 4), exec(10, 100, 0, 5), withheld(0, ['4-4'])],
    ],
    right: [
      () => [start([1]), exec(10, 100, 0, 1), loss(20, 1, 0, 2, 2)],
      () => [start([1]), loss(5, 1, 0, 1, 4), exec(10, 100, 0, 6), withheld(0, ['5-5'])],
      // What a rule withheld can be deleted for space later.
      () => [
        start([1]),
        exec(10, 100, 0, 5),
        loss(20, 1, 0, 1, 4, { 'vcml.loss.stage': 'retention' }),
        withheld(0, ['1-4']),
      ],
    ],
  },
  WITHHELD_FIELDS: {
    wrong: [
      () => [start([1]), withheld(0, [])],
      () => [start([1]), withheld(0, ['3-2'])],
      () => [start([1]), withheld(0, ['0-2'])],
      () => [start([1]), withheld(0, ['1-2', '2-3'])],
      () => [start([1]), withheld(0, ['1-2', '3-3'])],
      () => [start([1]), withheld(0, ['3-3', '1-1'])],
      () => [start([1]), withheld(0, ['1'])],
      () => [start([1]), withheld(0, ['1-2'], { 'vcml.withheld.count': 3 })],
      () => [start([1]), withheld(0, ['1-2'], { 'vcml.withheld.hook_id': '7' })],
      () => [start([1]), withheld(-1, ['1-2'])],
      () => [
        start([1]),
        withheld(
          0,
          Array.from({ length: 65 }, (_, n) => `${2 * n + 1}-${2 * n + 1}`),
        ),
      ],
      () => [start([1]), exec(10, 100, 0, 1, { 'vcml.withheld.cpu': 0 })],
    ],
    right: [
      () => [start([1]), withheld(0, ['1-2', '4-4'])],
      () => [
        start([1]),
        withheld(
          0,
          Array.from({ length: 64 }, (_, n) => `${2 * n + 1}-${2 * n + 1}`),
        ),
      ],
    ],
  },
  HOOK_REMOVED: {
    wrong: [
      (r) => [...inOrder(r), ...nextHook(removal())],
      // the form of version 0.1.0
      () => [
        start([1]),
        draft(5, 'journal.loss', 1, {
          'vcml.loss.stage': 'kernel',
          'vcml.loss.hook_id': String(HOOK),
        }),
      ],
    ],
    right: [
      (r) => {
        r.stop.attributes['vcml.hook.state'] = 'detached';
        return [...inOrder(r), ...nextHook()];
      },
    ],
  },
  HOOK_END_UNTOLD: {
    wrong: [
      (r) => [...inOrder(r), ...nextHook()],
      (r) => [
        ...inOrder(r),
        ...reboot(undefined).filter(({ action }) => action !== 'journal.loss'),
      ],
      // the end of another boot
      (r) => [...inOrder(r), ...nextHook(rebootLoss(71, OTHER_BOOT))],
    ],
    right: [
      (r) => [...inOrder(r), ...reboot(undefined)],
      // A run that was killed at once leaves it to the next one.
      (r) => [...inOrder(r), ...nextHook().slice(0, 1)],
      // records of two nodes in one file
      (r) => [
        ...inOrder(r),
        ...nextHook().map((one) => {
          one.resource['host.name'] = 'other';
          return one;
        }),
      ],
    ],
  },
  RUN_COUNTS: {
    wrong: [
      changed((r) => {
        r.stop.attributes['vcml.journal.records'] = 5;
      }),
      changed((r) => {
        r.stop.attributes['vcml.journal.gaps'] = 1;
      }),
      changed((r) => {
        r.stop.attributes['vcml.journal.losses'] = 2;
      }),
      ({ start: begin, root: _, ...r }) => [
        begin,
        ...Object.values(r),
        withheld(0, ['1-1', '6-6']),
      ],
      // Its numbers are those of the next run.
      (r) => [...changedStop(r, 5), start([6, 3], 'resumed', 70), withheld(0, ['6-6'])],
    ],
    right: [
      ({ start: begin, root: _, ...r }) => [begin, ...Object.values(r), withheld(0, ['1-1'])],
      (r) => [...changedStop(r, 5), start([7, 3], 'resumed', 70), withheld(0, ['6-6'])],
      // The count may be that of losses or that of lost records.
      changed((r) => {
        r.stop.attributes['vcml.journal.losses'] = 1;
      }),
    ],
  },
  RUN_AFTER_STOP: {
    wrong: [
      (r) => [...inOrder(r), exec(70, 105, 0, 6)],
      (r) => [...changedStop(r, 5), withheld(0, ['6-6']), exec(70, 105, 0, 7)],
    ],
    right: [
      (r) => [...inOrder(r), start([6, 3], 'resumed', 70), exec(80, 105, 0, 6)],
      (r) => [...changedStop(r, 5), withheld(0, ['6-6'])],
      (r) => [
        ...changedStop(r, 5),
        withheld(0, ['6-6']),
        start([7, 3], 'resumed', 70),
        exec(80, 105, 0, 7),
      ],
    ],
  },
} satisfies Partial<Record<Code, Case>>;
