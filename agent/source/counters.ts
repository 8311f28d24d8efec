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
  const number = (at: number) => Number(bytes.readBigUInt64LE(at));
  return Array.from({ length: bytes.length / cpuState.bytes }, (_, cpu) => {
    const at = cpu * cpuState.bytes;
    return {
      seq: number(at + cpuState.seq),
      lostSeq: number(at + cpuState.lostSeq),
      quietFirst: number(at + cpuState.quietFirst),
      quietLast: number(at + cpuState.quietLast),
      readSeq: number(at + cpuState.readSeq),
    };
  });
}
