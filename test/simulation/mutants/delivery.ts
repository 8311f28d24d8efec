import type { Mutant } from './mutant.ts';

const EXPORT = 'agent/export/journal-export.ts';
const CURSOR = 'agent/export/read/cursor.ts';
const BATCHES = 'agent/export/read/batches.ts';
const WITHHELD = 'agent/export/read/withheld.ts';
const RECENT_LINES = 'agent/export/read/recent-lines.ts';
const READER = 'agent/export/read/journal-reader.ts';
const DELIVERY = 'agent/export/send/delivery.ts';
const DEAD_LETTERS = 'agent/export/send/dead-letters.ts';
const OUTCOME = 'agent/export/send/outcome.ts';
const READ = 'agent/journal/read.ts';

/** Faults of what reads the journal back and brings it to the collector. */
export const DELIVERY_MUTANTS: readonly Mutant[] = [
  {
    name: 'a batch is acknowledged before it is delivered',
    file: EXPORT,
    before: `        await delivery.deliver(batch, this.#upcoming);
        if (this.#over) return;
        this.#acknowledge(batch);
`,
    after: `        this.#acknowledge(batch);
        await delivery.deliver(batch, this.#upcoming);
        if (this.#over) return;
`,
    why: 'The delivery ends only when all is accepted, so the order looks arbitrary.',
  },
  {
    name: 'a cursor beyond the end of the open segment is valid',
    file: CURSOR,
    before: '  if (cursor.segment > end.segment || (isInEnd && cursor.offset > end.offset)) {\n',
    after: '  if (cursor.segment > end.segment) {\n',
    why: 'Only a power cut makes a journal shorter.',
  },
  {
    name: 'lines that are only on disk are skipped',
    file: RECENT_LINES,
    before: '      if (!follows && isBefore(position, chunk)) return undefined;\n',
    after: '',
    why: 'The first lines in memory usually follow the position.',
  },
  {
    name: 'lines for the export are not copied',
    file: RECENT_LINES,
    before: `    lines.copy(memory, 0, 0, length);
    const bytes = memory.subarray(0, length);
`,
    after: '    const bytes = lines.subarray(0, length);\n',
    why: 'Copying costs time, and nothing at this place shows that the buffer is used again.',
  },
  {
    name: 'the positions in a segment are counted from the segment before',
    file: READER,
    before: '    this.#offset = next.offset - next.text.length;\n',
    after: '',
    why: 'Two lines in a row are nearly always in one segment.',
  },
  {
    name: 'a batch is overwritten while it is being sent',
    file: BATCHES,
    before: '      encoded: this.#free.pop() ?? new',
    after: '      encoded: this.#free.at(-1) ?? new',
    why: 'One batch is made at a time; that another is still being sent does not show here.',
  },
  {
    name: 'the place of a record is that of the next one',
    file: BATCHES,
    before: `    const start = reader.position;
    filling.isEmpty = false;
    filling.isBehind ||= reader.isBehind;
    const line = reader.take(bytes);
`,
    after: `    filling.isEmpty = false;
    filling.isBehind ||= reader.isBehind;
    const line = reader.take(bytes);
    const start = reader.position;
`,
    why: 'take() moves the position, which its name does not say.',
  },
  {
    name: 'withheld records are reported only with others',
    file: BATCHES,
    before:
      '    for (const { start, record } of filling.withheld.records(this.#options.scope)) {\n',
    after:
      '    const others = filling.records.length > 0 ? filling.withheld.records(this.#options.scope) : [];\n    for (const { start, record } of others) {\n',
    why: 'A batch without a record to export looks like one that has nothing to say.',
  },
  {
    name: 'a withheld range goes on behind records that were exported',
    file: WITHHELD,
    before: '    if (range !== undefined && range.last.seq + 1 === exec.seq) range.last = exec;\n',
    after: '    if (range !== undefined && range.last.seq < exec.seq) range.last = exec;\n',
    why: 'Numbers ascend, and no record is missing.',
  },
  {
    name: 'the second half of a split batch is sent first',
    file: DELIVERY,
    before: `    await this.#deliver(batch, first, middle);
    await this.#deliver(batch, middle, end);
`,
    after: `    await this.#deliver(batch, middle, end);
    await this.#deliver(batch, first, middle);
`,
    why: 'Both halves are sent, and nothing here speaks of their order.',
  },
  {
    name: 'a dead letter is given up if the disk does not take it',
    file: DELIVERY,
    before: `        if (isDue) reportedAt = performance.now();
        await this.#sender.pause(backoffMs(failures));
`,
    after: `        if (isDue) reportedAt = performance.now();
        break;
`,
    why: 'The error is logged, and the export must go on.',
  },
  {
    name: 'a dead letter is not synced',
    file: DEAD_LETTERS,
    before: '      await synced(handle.datasync(), mayBeUnsynced);\n',
    after: '',
    why: 'The kernel has the letter, and only a power cut shows that the disk has not.',
  },
  {
    name: 'a deadline counts as a refusal',
    file: OUTCOME,
    before: "  [status.DEADLINE_EXCEEDED]: 'transient',\n",
    after: "  [status.DEADLINE_EXCEEDED]: 'refused',\n",
    why: 'One of sixteen codes in a table.',
  },
  {
    name: 'lines that come while a segment is read and closed are skipped',
    file: READ,
    before: '    if (!segment.compressed && isReadable) {\n',
    after: '    if (segment.compressed && isReadable) {\n',
    why: 'The condition is easy to turn round; only a rotation at the right moment shows it.',
  },
  {
    name: 'a segment that was compressed since it was listed is skipped',
    file: READ,
    before: '    return there && (yield* readChunks(dir, other, from));\n',
    after: '    return there;\n',
    why: 'A file that is not there looks like a segment that was deleted.',
  },
];
