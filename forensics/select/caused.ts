import { type OfTrace, TRACE_COLUMNS } from './of-trace.ts';
import { type OfUser, SESSION_COLUMNS } from './of-user.ts';

/** Selects what some records caused; one of both at a time. */
export interface Caused extends OfUser, OfTrace {}

/** Whether it is asked for what some records caused. */
export function isCaused({ kubernetesUser, trace }: Caused): boolean {
  return kubernetesUser !== undefined || trace !== undefined;
}

/** The columns that causedRows() needs. */
export function causedColumns({ kubernetesUser, trace }: Caused): readonly string[] {
  if (kubernetesUser !== undefined) return SESSION_COLUMNS;
  return trace === undefined ? [] : TRACE_COLUMNS;
}
