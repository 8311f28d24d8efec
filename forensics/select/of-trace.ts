import { counted } from '../../record/describe.ts';

/** Selects the execs that carry a trace, and everything that they caused. */
export interface OfTrace {
  /** the id of the trace */
  readonly trace?: string;
}

/** The columns that carries() and MAY_CARRY read. */
export const TRACE_COLUMNS = ['trace_id', 'environment_truncated'];
/** The execs that may carry any trace, in any table of records. */
export const MAY_CARRY = 'trace_id IS NULL AND environment_truncated';

/** Returns the condition for the execs that carry a trace, in any table of records. */
export function carries(trace: string): string {
  return `trace_id = '${trace}'`;
}

/** Says how many execs may carry a trace, because not all of their environments was searched. */
export function uncertainty(count: number): string[] {
  if (count === 0) return [];
  return [`${counted(count, 'exec')} may have a trace that is not recorded: environment truncated`];
}
