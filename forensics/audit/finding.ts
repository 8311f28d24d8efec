/** FAIL: the memory is wrong or has an unexplained hole. WARN: unclear. NOTE: explained; no finding. */
export type Severity = 'FAIL' | 'WARN' | 'NOTE';

/** Every code that `audit` knows; docs/forensics.md says what each means. */
export const CODES = {
  LINE_UNREADABLE: ['FAIL', 'the line is no record and was skipped'],
  LINE_UNFINISHED: ['WARN', 'the last line has no end: torn, or being written'],
  CORE_FIELD: ['FAIL', 'a core field is missing or has the wrong type'],
  'CML-AUDIT-R1-MISSING_PARENT': ['FAIL', 'parent_cause names no record that is here'],
  'CML-AUDIT-R2-GAP_NOT_MARKED': [
    'WARN',
    'no parent_cause, and neither a root nor marked as a gap',
  ],
  'CML-AUDIT-R3-SECRET_NET_MISSING_CHAIN': [
    'FAIL',
    'a secret was touched before, and is none of the causes of this network access',
  ],
  'CML-AUDIT-R4-AMBIGUOUS_ROOT': ['WARN', 'permitted_by looks like root_event: and is not'],
  ID_DUPLICATE: ['FAIL', 'an earlier line has the same id'],
  ID_WRONG: ['FAIL', 'the id is not the one that boot, time and pid give'],
  PERMITTED_BY: ['FAIL', 'permitted_by does not fit parent_cause and action'],
  GAP_REASON: ['FAIL', 'vcml.gap.* does not fit'],
  GAP_LOST_PRESENT: ['FAIL', 'the cause that is said to be lost is here'],
  GAP_LOST_UNTOLD: ['FAIL', 'the cause is said to be lost, and no loss stands before'],
  LINK_ORDER: ['FAIL', 'the cause stands behind its effect'],
  LINK_TIME: ['FAIL', 'the cause is later than its effect'],
  LINK_BOOT: ['FAIL', 'the cause is of another boot'],
  LINK_NOT_EXEC: ['FAIL', 'the cause is a record about the journal'],
  SEQ_MISSING: ['FAIL', 'numbers are missing, and no loss covers them'],
  SEQ_REPEATED: ['FAIL', 'a number comes again, or too late'],
  SEQ_START: ['FAIL', 'journal.start expects other numbers than were seen'],
  LOSS_FIELDS: ['FAIL', 'vcml.loss.* does not fit its stage'],
  LOSS_PRESENT: ['FAIL', 'records are said to be lost that are here, or lost already'],
  RUN_COUNTS: ['FAIL', 'journal.stop counts otherwise'],
  RUN_AFTER_STOP: ['FAIL', 'a record between journal.stop and journal.start'],
  FIELD_MISSING: ['FAIL', 'an attribute that is always there is missing or has the wrong type'],
  FIELD_VALUE: ['FAIL', 'an attribute has no allowed value'],
  ARGUMENTS: ['FAIL', 'process.args_count does not fit process.command_args'],
  CREATED_LATER: ['FAIL', 'the process began after its exec'],
  CONTAINER: ['FAIL', 'vcml.entry or vcml.metadata.state does not fit the place'],
} as const satisfies Record<string, readonly [Severity, string]>;

export type Code = keyof typeof CODES;

/** Something that is not as it should be, by its row in the scanned table. */
export interface Finding {
  readonly code: Code;
  readonly row: number;
  /** in place of the code's own */
  readonly severity?: Severity;
  /** more than the code says; made visible when printed */
  readonly more?: string;
}
