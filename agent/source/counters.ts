import { cpuState } from './layout.ts';

/** The kernel side's counters of one CPU; all of them are numbers of execs. */
export interface CpuState {
  /** the last number that was assigned */
  readonly seq: number;
  /** the highest number whose event did not fit into the ring */
  readonly lostSeq: number;
  /** the last range of numbers that was skipped because no agent was reading; 0, 0: none */
  readonly quietFirst: number;
  readonly quietLast: number;
  /** the last number that an agent has written to a journal */
  readonly readSeq: number;
}

/** Reads the counters of every CPU from the bytes of Hook.cpuStates(). */
export function readCpuStates(bytes: Buffer): CpuState[] {
  return Array.from({ length: bytes.length / cpuState.bytes }, (_, cpu) =>
    readCpuState(bytes, cpu),
  );
}

/** Reads the counters of one of them. */
export function readCpuState(bytes: Buffer, cpu: number): CpuState {
  const number = (field: number) => Number(bytes.readBigUInt64LE(cpu * cpuState.bytes + field));
  return {
    seq: number(cpuState.seq),
    lostSeq: number(cpuState.lostSeq),
    quietFirst: number(cpuState.quietFirst),
    quietLast: number(cpuState.quietLast),
    readSeq: number(cpuState.readSeq),
  };
}

/**
 * Returns a number that rises with every exec whose event no reader gets; with `next`, of those below
 * these numbers.
 */
export function lossMark(states: readonly CpuState[], next?: Float64Array): number {
  return states.reduce((sum, { lostSeq, quietLast }, cpu) => {
    const before = next === undefined ? Number.POSITIVE_INFINITY : (next[cpu] ?? 1);
    return sum + Math.max(0, ...[lostSeq, quietLast].filter((seq) => seq < before));
  }, 0);
}
