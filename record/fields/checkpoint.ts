import { type Checkpoint, nanosecondsOf } from '../types.ts';
import { ALWAYS, type Attribute } from './field.ts';

const FIRST_OF_EPOCH = 'on the first of an epoch that follows another one';
const FIRST_OF_SEGMENT = 'on the first of a segment, except of the first of an epoch';

/** What `journal.checkpoint` says, in the order of a line (docs/evidence.md). */
export const CHECKPOINT = {
  checkpointEpoch: {
    key: 'vcml.checkpoint.epoch',
    type: 'string',
    when: ALWAYS,
    about: 'The epoch, a random UUID: a tree of its own, from its first leaf on.',
    value: ({ epoch }) => epoch,
  },
  checkpointReason: {
    key: 'vcml.checkpoint.reason',
    type: 'string',
    when: 'on the first of an epoch',
    about:
      'Why the epoch began: `new`, `upgraded`, `damaged` or `truncated` ([evidence.md](evidence.md#epochs)).',
    value: ({ begin }) => begin?.reason,
  },
  checkpointPreviousEpoch: {
    key: 'vcml.checkpoint.previous_epoch',
    type: 'string',
    when: `${FIRST_OF_EPOCH}, if that is known`,
    about: 'The epoch before.',
    value: ({ begin }) => begin?.previous?.epoch,
  },
  checkpointPreviousSize: {
    key: 'vcml.checkpoint.previous_size',
    type: 'integer',
    when: 'with a previous epoch',
    about: 'The size of the last checkpoint that is known of the epoch before.',
    value: ({ begin }) => begin?.previous?.size,
  },
  checkpointPreviousRoot: {
    key: 'vcml.checkpoint.previous_root',
    type: 'string',
    when: 'with a previous epoch',
    about: 'Its root.',
    value: ({ begin }) => begin?.previous?.root,
  },
  checkpointSize: {
    key: 'vcml.checkpoint.size',
    type: 'integer',
    when: ALWAYS,
    about: 'The number of leaves of the tree, with the leaf of this checkpoint.',
    value: ({ size }) => size,
  },
  checkpointRoot: {
    key: 'vcml.checkpoint.root',
    type: 'string',
    when: ALWAYS,
    about: 'The root of the tree, a SHA-256 in base64.',
    value: ({ root }) => root,
  },
  checkpointBytes: {
    key: 'vcml.checkpoint.bytes',
    type: 'integer',
    when: ALWAYS,
    about:
      'The size of the block: the lines between the previous checkpoint of the segment and this one.',
    value: ({ bytes }) => bytes,
  },
  checkpointLeaf: {
    key: 'vcml.checkpoint.leaf',
    type: 'string',
    when: ALWAYS,
    about: 'The leaf: the hash of the block and of the previous checkpoint, in base64.',
    value: ({ leaf }) => leaf,
  },
  checkpointPreviousLine: {
    key: 'vcml.checkpoint.previous_line',
    type: 'string',
    when: FIRST_OF_SEGMENT,
    about: "The SHA-256 of the previous checkpoint's line with its line feed, in base64.",
    value: ({ continued }) => continued?.previousLine,
  },
  checkpointFrontier: {
    key: 'vcml.checkpoint.frontier',
    type: 'strings',
    when: FIRST_OF_SEGMENT,
    about:
      'The roots of the complete subtrees over the leaves before this one, the largest first, in base64.',
    value: ({ continued }) => continued?.frontier,
  },
  checkpointUnverifiedSegments: {
    key: 'vcml.checkpoint.unverified_segments',
    type: 'integer',
    when: 'if there are any',
    about: 'How many segments since the last checkpoint have none at their end.',
    value: ({ unverifiedSegments }) => unverifiedSegments || undefined,
  },
  checkpointHookId: {
    key: 'vcml.checkpoint.hook_id',
    type: 'decimal',
    when: ALWAYS,
    about: 'The hook that the numbers are of.',
    value: ({ hookId }) => hookId,
  },
  checkpointNextSeq: {
    key: 'vcml.checkpoint.next_seq',
    type: 'integers',
    when: ALWAYS,
    about:
      'The next expected number of each CPU: every lower one is in the journal, reported there as lost, or from before it.',
    value: ({ nextSeq }) => nextSeq,
  },
  checkpointCompleteUntil: {
    key: 'vcml.checkpoint.complete_until',
    type: 'nanoseconds',
    when: 'except shortly after a start',
    about:
      'The boot time up to which every exec is in the journal, or is reported there as lost. Later ones may be, too.',
    value: ({ completeUntil }) => completeUntil && nanosecondsOf(completeUntil),
  },
  checkpointNote: {
    key: 'vcml.checkpoint.note',
    type: 'string',
    when: 'with `checkpointKeyFile`',
    about: 'Origin, size and root as a signed note (C2SP).',
    value: ({ note }) => note,
  },
} as const satisfies Record<string, Attribute<Checkpoint>>;
