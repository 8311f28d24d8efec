import type { Mutant } from './mutant.ts';

const LINEAGE = 'agent/lineage/lineage.ts';
const LOSSES = 'agent/lineage/losses.ts';

/** Faults of what makes records of events, and finds gaps and losses. */
export const LINEAGE_MUTANTS: readonly Mutant[] = [
  {
    name: 'an exec that the journal has is written again',
    file: LINEAGE,
    before: '    const expected = this.#expected(cpu);\n    if (seq < expected) return false;',
    after: '    const expected = this.#expected(cpu);',
    why: 'The ring has each event once; only a restart shows events twice.',
  },
  {
    name: 'a jump in the numbers of execs is no loss',
    file: LINEAGE,
    before: `    if (this.#unread.size > 0) this.settle(now, out);
    if (seq > expected) this.#lose(cpu, expected, seq - 1, now, out);
`,
    after: '    if (this.#unread.size > 0) this.settle(now, out);\n',
    why: 'reconcile() finds losses, too, but only behind the last event.',
  },
  {
    name: 'a lost parent with the next expected number is taken for recorded',
    file: LINEAGE,
    before: '    if (cause.seq >= expected) {\n',
    after: '    if (cause.seq > expected) {\n',
    why: 'An error by one.',
  },
  {
    name: 'a lost parent is lost again at the next jump',
    file: LINEAGE,
    before: '      this.#next[cause.cpu] = cause.seq + 1;\n',
    after: '',
    why: 'The numbers of another CPU than the event’s are easy to forget.',
  },
  {
    name: 'a child of a lost record is linked to it',
    file: LINEAGE,
    before: '    const isLost = this.losses.has(cause.cpu, cause.seq);\n',
    after: '    const isLost = cause.seq >= expected;\n',
    why: 'The first child finds the loss; that a second one has the same parent is easy to forget.',
  },
  {
    name: 'a loss of unreadable events comes after the next exec',
    file: LINEAGE,
    before: '    if (this.#unread.size > 0) this.settle(now, out);\n',
    after: '',
    why: 'The recorder settles at the end of each drain, which looks like enough.',
  },
  {
    name: 'a jump before an unreadable event is no loss',
    file: LINEAGE,
    before: `    if (seq > expected) this.#lose(cpu, expected, seq - 1, now, out);
    this.#unread.set(`,
    after: '    this.#unread.set(',
    why: 'The event is lost itself, so that its number seems to say enough.',
  },
  {
    name: 'of unreadable events in a row only the last is lost',
    file: LINEAGE,
    before: 'first: this.#unread.get(cpu)?.first ?? seq, last: seq',
    after: 'first: seq, last: seq',
    why: 'One unreadable event alone, the usual case, is right.',
  },
  {
    name: 'one lost event at the end is not found',
    file: LINEAGE,
    before: '    if (last < expected) return;\n',
    after: '    if (last <= expected) return;\n',
    why: 'An error by one.',
  },
  {
    name: 'what was lost after the quiet time counts as quiet',
    file: LINEAGE,
    before: '    const to = Math.min(last, quiet.last);\n',
    after: '    const to = last;\n',
    why: 'A quiet time nearly always ends where the loss ends.',
  },
  {
    name: 'the first number of a lost range is not lost',
    file: LOSSES,
    before: '(ranges[2 * low] ?? 0) <= seq',
    after: '(ranges[2 * low] ?? 0) < seq',
    why: 'An error by one in a binary search.',
  },
  {
    name: 'the last number of a lost range is not lost',
    file: LOSSES,
    before: '(ranges[2 * middle + 1] ?? 0) < seq',
    after: '(ranges[2 * middle + 1] ?? 0) <= seq',
    why: 'An error by one in a binary search.',
  },
  {
    name: 'the id of another parent is taken from the cache',
    file: 'agent/lineage/parent-ids.ts',
    before: 'if (this.#cpus[slot] === cpu && this.#seqs[slot] === seq)',
    after: 'if (this.#cpus[slot] === cpu)',
    why: 'The slot is made of the number, which looks like a comparison.',
  },
  {
    name: 'two records about the journal have one id',
    file: LINEAGE,
    before: '    this.#n += 1;\n',
    after: '',
    why: 'The time is a part of the id and looks unique; one drain has one time.',
  },
];
