import type { Code } from '../../../../forensics/audit/codes.ts';
import { type Draft, draft, exec, execId, HOOK, loss, start, text } from '../../../check/craft.ts';
import {
  type Case,
  changed,
  inOrder,
  lostGap,
  plain,
  reference,
  withheld,
} from '../../../forensics/craft.ts';

/** The cases of unreadable lines, core fields, the vCML rules, ids and gaps. */
export const LINE_CASES = {
  LINE_UNREADABLE: {
    wrong: [
      (r) => [...inOrder(r), '{"id":"x",'],
      (r) => [...inOrder(r), '[]'],
      (r) => ['\x00', ...inOrder(r)],
    ],
    right: [(r) => [...inOrder(r), '', '  '], (r) => ['', ...inOrder(r)]],
  },
  LINE_UNFINISHED: {
    wrong: [(r) => [...inOrder(r), 'unfinished:{"id":"x"']],
    right: [(r) => [...inOrder(r).slice(0, -1), `unfinished:${text(r.stop)}`]],
  },
  CORE_FIELD: {
    wrong: [
      reference(plain('a', { timestamp: '17' })),
      reference(plain('a', { timestamp: 17.5 })),
      reference(plain('a', { actor: { pid: '7', uid: 0 } })),
      reference(plain('a', { actor: { pid: 7 } })),
      reference(plain('a', { object: 5 })),
      reference(plain('a', { object: null })),
      reference(plain('a', { action: '' })),
      reference(plain(' ')),
      () => [{ ...withheld(0, ['1-1']), timestamp: undefined } as unknown as Draft],
    ],
    right: [
      () => [withheld(0, ['1-1'])],
      reference(plain('a', { timestamp: 17 })),
      reference(plain('a', { object: { path: '/x' } })),
      reference(plain('a', { actor: { pid: 7, uid: 0, comm: 'x' }, more: 1 })),
    ],
  },
  'CML-AUDIT-R1-MISSING_PARENT': {
    wrong: [
      changed((r) => {
        r.child.parent_cause = execId(11, 100);
      }),
      reference(plain('a'), plain('b', { permitted_by: 'a', parent_cause: 'c' })),
      reference(plain('a'), plain('b', { permitted_by: 'a', parent_cause: 'A' })),
      // One record was withheld, and two are missing.
      ({ start: begin, root: _, ...r }) => {
        r.later.parent_cause = execId(35, 99);
        return [begin, ...Object.values(r), withheld(0, ['1-1'])];
      },
    ],
    right: [
      reference(plain('a'), plain('b', { permitted_by: 'a', parent_cause: 'a' })),
      ({ start: begin, root: _, ...r }) => [begin, ...Object.values(r), withheld(0, ['1-1'])],
    ],
  },
  'CML-AUDIT-R2-GAP_NOT_MARKED': {
    wrong: [reference(plain('a', { permitted_by: 'somebody' }))],
    right: [reference(plain('a', { permitted_by: 'unobserved_parent' }))],
  },
  'CML-AUDIT-R3-SECRET_NET_MISSING_CHAIN': {
    wrong: [
      reference(
        plain('a', { action: 'open', object: '/secrets/token' }),
        plain('b', { action: 'connect', object: '192.0.2.1:443' }),
      ),
      reference(
        plain('a', { action: 'open', object: { path: '/x', classification: 'SECRET' } }),
        plain('b', { action: 'send', object: '192.0.2.1:443' }),
      ),
    ],
    right: [
      reference(
        plain('a', { action: 'open', object: '/x/tls.key' }),
        plain('b', { action: 'connect', permitted_by: 'a', parent_cause: 'a' }),
      ),
      reference(
        plain('a', { action: 'open', object: '/secrets/token' }),
        plain('b', { action: 'connect', actor: { pid: 8, uid: 0 } }),
      ),
      reference(
        plain('a', { action: 'open', object: '/x/keys' }),
        plain('b', { action: 'connect' }),
      ),
    ],
  },
  'CML-AUDIT-R4-AMBIGUOUS_ROOT': {
    wrong: [reference(plain('a', { permitted_by: 'root_event' }))],
    right: [reference(plain('a', { permitted_by: 'root_event:' }))],
  },
  ID_DUPLICATE: {
    wrong: [reference(plain('a'), plain('a'))],
    right: [reference(plain('a'), plain('b'))],
  },
  ID_WRONG: {
    wrong: [
      changed((r) => {
        r.later.id = execId(51, 104);
      }),
      changed((r) => {
        r.later.id = String(r.later.id).toUpperCase();
      }),
      changed((r) => {
        r.stop.id = draft(60, 'journal.stop', 3, {}).id;
      }),
      () => [{ ...withheld(0, ['1-2']), id: withheld(0, ['1-3']).id }],
    ],
    right: [
      () => [withheld(0, ['1-2', '4-4'])],
      // A run that began before these files may start with any count.
      ({ stop: end }) => [{ ...end, id: draft(60, 'journal.stop', 77, {}).id }],
    ],
  },
  PERMITTED_BY: {
    wrong: [
      changed((r) => {
        r.child.permitted_by = 'unobserved_parent';
      }),
      changed((r) => {
        r.root.permitted_by = 'root_event:exec';
      }),
      changed((r) => {
        r.stop.permitted_by = 'root_event:journal.start';
      }),
    ],
    right: [changed(() => {})],
  },
  GAP_REASON: {
    wrong: [
      changed((r) => {
        delete r.orphan.attributes['vcml.gap.lost_cause'];
      }),
      changed((r) => {
        r.child.attributes['vcml.gap.reason'] = 'untracked';
      }),
      changed((r) => {
        r.root.attributes['vcml.gap.reason'] = 'forgotten';
        delete r.root.attributes['vcml.gap.ancestor.pid'];
        delete r.root.attributes['vcml.gap.ancestor.start_time'];
      }),
      changed((r) => {
        delete r.root.attributes['vcml.gap.ancestor.pid'];
      }),
    ],
    right: [
      changed((r) => {
        r.root.attributes['vcml.gap.reason'] = 'untracked';
        delete r.root.attributes['vcml.gap.ancestor.pid'];
        delete r.root.attributes['vcml.gap.ancestor.start_time'];
      }),
    ],
  },
  GAP_LOST_PRESENT: {
    wrong: [
      changed((r) => {
        Object.assign(r.orphan.attributes, lostGap(execId(20, 101)));
      }),
    ],
    right: [
      changed((r) => {
        Object.assign(r.orphan.attributes, lostGap(execId(21, 101)));
      }),
    ],
  },
  GAP_LOST_UNTOLD: {
    wrong: [
      () => [start([1]), exec(10, 100, 0, 1, lostGap(execId(5, 99)))],
      // a loss without numbers
      () => [
        start([1]),
        draft(5, 'journal.loss', 1, {
          'vcml.loss.stage': 'kernel',
          'vcml.loss.hook_id': String(HOOK),
          'vcml.loss.count': 3,
        }),
        exec(10, 100, 0, 1, lostGap(execId(5, 99))),
      ],
      // a loss of another hook's numbers
      () => [
        start([1]),
        loss(5, 1, 0, 1, 1, { 'vcml.loss.hook_id': String(HOOK - 9n) }),
        exec(10, 100, 0, 1, lostGap(execId(5, 99))),
      ],
      // a loss of what was later than the gap
      () => [
        start([1, 1]),
        exec(30, 100, 0, 1),
        loss(40, 1, 0, 2, 2),
        exec(20, 101, 1, 1, lostGap(execId(15, 99))),
      ],
      // one lost record, and two causes
      () => [
        start([1]),
        loss(5, 1, 0, 1, 1),
        exec(10, 100, 0, 2, lostGap(execId(5, 99))),
        exec(11, 101, 0, 3, lostGap(execId(6, 98))),
      ],
      // a loss behind the gap
      () => [
        start([1, 1]),
        exec(10, 100, 0, 1, lostGap(execId(5, 99))),
        loss(15, 1, 1, 1, 1),
        exec(20, 101, 1, 2),
      ],
    ],
    right: [
      () => [start([1]), loss(5, 1, 0, 1, 1), exec(10, 100, 0, 2, lostGap(execId(5, 99)))],
      () => [start([2], 'resumed'), exec(10, 100, 0, 2, lostGap(execId(5, 99)))],
      () => [
        start([1, 1]),
        exec(30, 100, 0, 1),
        loss(40, 1, 0, 2, 2),
        exec(50, 101, 1, 1, lostGap(execId(35, 99))),
      ],
      () => [
        start([1]),
        loss(5, 1, 0, 1, 1),
        exec(10, 100, 0, 2, lostGap(execId(5, 99))),
        exec(11, 101, 0, 3, lostGap(execId(5, 99))),
      ],
    ],
  },
} satisfies Partial<Record<Code, Case>>;
