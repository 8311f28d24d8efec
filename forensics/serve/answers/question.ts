import type { AuditLogFor } from '../../exec-requests/audit-log.ts';
import type { Memory } from '../memory.ts';
import type { Parameters } from '../parameters.ts';

/** One question of a page. */
export interface Question {
  readonly memory: Memory;
  /** the audit log of the API server, as far as it may be behind these records */
  readonly auditLogFor: AuditLogFor;
  readonly title: string;
  /** Whether the inputs can be read again. */
  readonly isRepeatable: boolean;
  /** Reads the inputs again, for the questions after this one. */
  readonly readAgain: () => Promise<void>;
  readonly parameters: Parameters;
  /** what follows the name of the question in the path; empty: nothing */
  readonly about: string;
  /** aborted when the page no longer wants the answer */
  readonly signal: AbortSignal;
}

/** The answer as JSON; 64-bit integers become decimal strings. */
export type Answered = Readonly<Record<string, unknown>>;

/** The largest number of records in one answer. */
export const RECORDS_MAX = 1000;
/** The number of records in one answer unless a question says it. */
export const RECORDS = 200;
