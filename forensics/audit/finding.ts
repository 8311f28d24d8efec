import type { Code, Severity } from './codes.ts';

/** Something that is wrong or unclear, with its row in the scanned table. */
export interface Finding {
  readonly code: Code;
  /** what is shown in place of the code */
  readonly shownCode?: string;
  readonly row: number;
  /** replaces the severity of the code */
  readonly severity?: Severity;
  /** details beyond the code's sentence; printing makes them visible */
  readonly more?: string;
}
