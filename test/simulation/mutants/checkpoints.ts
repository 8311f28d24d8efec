import type { Mutant } from './mutant.ts';

const RESUME = 'agent/journal/checkpoints/resume-chain.ts';

/** Faults of the checkpoints of a journal, and of what leaves the node. */
export const CHECKPOINTS: readonly Mutant[] = [
  {
    name: 'a checkpoint leaves the node before it is on disk',
    file: 'agent/journal/journal.ts',
    before: 'line.bytes.length, line.notes, this.#syncing.now());\n',
    after: 'line.bytes.length, line.notes);\n',
    why: 'Everything else leaves the node at once, and only a power cut shows it.',
  },
  {
    name: 'the lines that an earlier run left are in no block',
    file: RESUME,
    before: 'tree, previousLine: lastLine }, block);\n',
    after: 'tree, previousLine: lastLine });\n',
    why: 'A run that ends in an orderly way leaves none.',
  },
  {
    name: 'the first checkpoint of a segment is taken for a later one after a restart',
    file: RESUME,
    before: '  if (isInSegment) chain.resumeSegment();\n',
    after: '  chain.resumeSegment();\n',
    why: 'Most restarts are in a segment that has checkpoints.',
  },
  {
    name: 'a checkpoint that was refused is made again with other content',
    file: 'agent/journal/checkpoints/sealing.ts',
    before: '    if (this.#line === undefined && this.#hasBegun && this.#chain.bytes > 0) {\n',
    after: '    if (this.#hasBegun && (this.#line !== undefined || this.#chain.bytes > 0)) {\n',
    why: 'A fresh line has the right time.',
  },
];
