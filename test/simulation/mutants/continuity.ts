import type { Mutant } from './mutant.ts';

const CHECKPOINT = 'agent/run/resume/checkpoint.ts';
const LINES = 'agent/run/resume/continuity.ts';
const DOUBTS = 'agent/run/resume/doubts.ts';
const READ_HOOK = 'agent/run/resume/read-hook.ts';
const SESSION = 'agent/run/session/session.ts';
const CLOCK = 'agent/source/clock.ts';

/** Faults of what carries a run on where the last one stopped, and of its clocks. */
export const CONTINUITY: readonly Mutant[] = [
  {
    name: 'the journal is not asked for the next expected numbers',
    file: SESSION,
    before: '    Math.max(readSeq + 1, here[cpu] ?? 1),\n',
    after: '    Math.max(readSeq + 1, 1),\n',
    why: 'The kernel knows what was read; only a kill between a write and a commit differs.',
  },
  {
    name: 'losses of earlier runs are forgotten',
    file: DOUBTS,
    before: '  const losses = isSameHook ? known.losses : new Losses();\n',
    after: '  const losses = new Losses();\n',
    why: 'A run finds its own losses; that children of older ones come later is easy to forget.',
  },
  {
    name: 'execs that the kernel skipped are recorded again after a restart',
    file: SESSION,
    before: "    kernelMisses: hook.state === 'resumed' ? missesBefore(known, hookId, hook) : 0,\n",
    after: '    kernelMisses: 0,\n',
    why: 'A counter looks as if it began at zero.',
  },
  {
    name: 'an orderly detach counts as a loss',
    file: SESSION,
    before: '  const isOver = known.bootId !== undefined && !isSameHook && !known.detached;\n',
    after: '  const isOver = known.bootId !== undefined && !isSameHook;\n',
    why: 'A hook that is another one looks like a hook that was lost.',
  },
  {
    name: 'deleted records count as lost after a restart',
    file: LINES,
    before: "  if (stage === 'retention') noteDeleted(known, cpu, [first, last]);\n  else {\n",
    after: '  {\n',
    why: 'A loss of stage retention looks like any other loss.',
  },
  {
    name: 'a loss at the end of the journal is recorded again',
    file: LINES,
    before: '  advance(known.nextSeq, cpu, last);\n}\n',
    after: '}\n',
    why: 'Execs advance the numbers, and usually one follows a loss.',
  },
  {
    name: 'a new hook goes on with the numbers of the old one',
    file: LINES,
    before: '    Object.assign(known, continuityFrom(), { hookId, bootId, beginSeq });\n',
    after: `    const { nextSeq } = known;
    Object.assign(known, continuityFrom(), { hookId, bootId, beginSeq, nextSeq });
`,
    why: 'Of eight things to forget, one is forgotten.',
  },
  {
    name: 'the numbers of a journal.start count as recorded',
    file: LINES,
    before: 'advance(known.nextSeq, cpu, Number(next) - 1);\n',
    after: 'advance(known.nextSeq, cpu, Number(next));\n',
    why: 'An error by one: everything else in this file is a last number, this is a next one.',
  },
  {
    name: 'the journal is read back only to the last journal.start',
    file: READ_HOOK,
    before: "    part.isFirst ||= record.attributes[KEYS.hookState] === 'attached';\n",
    after: '    part.isFirst = true;\n',
    why: 'A journal.start has the numbers of every CPU, but not the losses before it.',
  },
  {
    name: 'a checkpoint of lines that a power cut took is valid',
    file: CHECKPOINT,
    before: '    if (await isWithin(dir, checkpoint.position)) return checkpoint;\n',
    after: '    if (checkpoint.position) return checkpoint;\n',
    why: 'A checkpoint is written after its lines, so they seem to be there.',
  },
  {
    name: 'a checkpoint counts a loss that is not on disk',
    file: 'agent/run/session/drain-loop.ts',
    before: '    if (turn.hasNews && this.#checkpoint.note()) this.#recorder.addKernelMisses();\n',
    after: `    if (turn.hasNews) this.#recorder.addKernelMisses();
    if (turn.hasNews) this.#checkpoint.note();
`,
    why: 'The order of these two looks arbitrary.',
  },
  {
    name: 'events between the last drain and the disarming are dropped',
    file: 'agent/run/session/ending.ts',
    before: `    hook.disarm();
    if (!(await recorder.flush())) return undefined;
`,
    after: '    hook.disarm();\n',
    why: 'The ring was drained a moment before.',
  },
  {
    name: 'the ring is released although the disk did not take the lines',
    file: 'agent/run/session/recorder.ts',
    before: '      if (!(await this.#batch.write())) return false;\n      if (this.#reading',
    after: '      if (!(await this.#batch.write())) break;\n      if (this.#reading',
    why: 'The batch keeps the lines and tries again; only a kill meanwhile shows the difference.',
  },
  {
    name: 'counters of the kernel are believed before the ring is read',
    file: 'agent/run/session/recorder.ts',
    before: '      if (hook.positions()[0] >= end) {\n',
    after: '      if (hook.positions()[0] <= end) {\n',
    why: 'The two positions are easy to exchange.',
  },
  {
    name: 'nobody awaits a checkpoint that cannot be written',
    file: 'agent/run/session/newest-checkpoint.ts',
    before: '        await writeState(this.#dir, text);\n',
    after: '        void writeState(this.#dir, text);\n',
    why: 'The next one takes its place anyway; but a promise that is rejected ends the process.',
  },
  {
    name: 'a step of the wall clock backwards is ignored',
    file: CLOCK,
    before: '    if (Math.abs(moved) > KEPT_WITHIN_NS)',
    after: '    if (moved > KEPT_WITHIN_NS)',
    why: 'Clocks run forwards.',
  },
];
