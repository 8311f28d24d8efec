import { rfc3339 } from '../time.ts';
import type { Gap, WallOffset } from '../types.ts';
import type { Attribute } from './field.ts';

const ANCESTOR = 'with reason `predates_hook`';
const ANCESTOR_READABLE = `${ANCESTOR}, if it could be read at arming`;

/** A gap, and the clock for its times. */
export interface DatedGap {
  readonly gap: Gap;
  readonly offset: WallOffset;
}

/** Why an exec has no `parent_cause`, in the order of a line. */
export const GAP = {
  gapReason: {
    key: 'vcml.gap.reason',
    type: 'string',
    when: 'in a gap',
    about: 'Why there is no `parent_cause`: `predates_hook`, `lost` or `untracked`.',
    value: ({ gap }) => gap.reason,
  },
  gapLostCause: {
    key: 'vcml.gap.lost_cause',
    type: 'string',
    when: 'with reason `lost`',
    about: 'The id that the lost record of the parent would have.',
    value: ({ gap }) => (gap.reason === 'lost' ? gap.lostCause : undefined),
  },
  gapAncestorPid: {
    key: 'vcml.gap.ancestor.pid',
    type: 'integer',
    when: ANCESTOR,
    about: 'The process that began before the hook was armed and at which the chain starts.',
    value: ({ gap }) => (gap.reason === 'predates_hook' ? gap.pid : undefined),
  },
  gapAncestorStartTime: {
    key: 'vcml.gap.ancestor.start_time',
    type: 'time',
    when: ANCESTOR,
    about: 'When that process was forked.',
    value: ({ gap, offset }) =>
      gap.reason === 'predates_hook' ? rfc3339(gap.startTime, offset) : undefined,
  },
  gapAncestorComm: {
    key: 'vcml.gap.ancestor.comm',
    type: 'string',
    when: ANCESTOR_READABLE,
    about: 'The name of that process when the hook was armed.',
    value: ({ gap }) => (gap.reason === 'predates_hook' && gap.ancestor?.comm) || undefined,
  },
  gapAncestorExecutable: {
    key: 'vcml.gap.ancestor.executable.path',
    type: 'string',
    when: `${ANCESTOR_READABLE} and has at most 1,024 bytes`,
    about: 'The file that the process ran when the hook was armed.',
    value: ({ gap }) =>
      (gap.reason === 'predates_hook' && gap.ancestor?.executablePath) || undefined,
  },
} as const satisfies Record<string, Attribute<DatedGap>>;
