import { cpuState } from './layout.ts';

/** What the kernel counted on one CPU; numbers of execs. */
export interface CpuState {
  /** last number given */
  readonly seq: number;
  /** highest number whose event found no room */
  readonly lostSeq: number;
  /** the last run of numbers passed over for want of a reader; 0, 0: none */
  readonly quietFirst: number;
  readonly quietLast: number;
  /** last number that a reader had put into a journal */
  readonly readSeq: number;
}

/** The counters of every CPU, from what Hook.cpuStates() gives. */
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
