/**
 * FAIL: the memory is wrong or has an unexplained hole. WARN: unclear. NOTE: explained; no finding.
 */
export type Severity = 'FAIL' | 'WARN' | 'NOTE';

/** Every code that `audit` knows; docs/forensics.md explains each of them. */
export const CODES = {
  LINE_UNREADABLE: ['FAIL', 'the line is not a record, and was skipped'],
  LINE_UNFINISHED: ['WARN', 'the last line is incomplete: it is torn, or being written'],
  FILE_DAMAGED: ['FAIL', 'a part of the file is damaged, and what it held is missing'],
  INDEX_WRONG: ['FAIL', 'the index of the segment is not about what is in it; delete the index'],
  CORE_FIELD: ['FAIL', 'a core field is missing or has the wrong type'],
  'CML-AUDIT-R1-MISSING_PARENT': ['FAIL', 'parent_cause names a record that is not in the inputs'],
  'CML-AUDIT-R2-GAP_NOT_MARKED': [
    'WARN',
    'there is no parent_cause, and the record is neither a root nor marked as a gap',
  ],
  'CML-AUDIT-R3-SECRET_NET_MISSING_CHAIN': [
    'FAIL',
    'the process touched a secret before, and that access is not a cause of this network access',
  ],
  'CML-AUDIT-R4-AMBIGUOUS_ROOT': [
    'WARN',
    'permitted_by begins with root_event, but without the colon',
  ],
  CUSTOM_RULE: ['FAIL', 'the record breaks a rule of the file that `--config` names'],
  ID_DUPLICATE: ['FAIL', 'an earlier line has the same id'],
  ID_WRONG: ['FAIL', 'the id does not match boot, time and pid'],
  PERMITTED_BY: ['FAIL', 'permitted_by does not match parent_cause and action'],
  GAP_REASON: ['FAIL', 'vcml.gap.* does not match the gap'],
  GAP_LOST_PRESENT: ['FAIL', 'the record marks its cause as lost, but the cause is in the inputs'],
  GAP_LOST_UNTOLD: ['FAIL', 'the record marks its cause as lost, but no earlier loss can cover it'],
  LINK_ORDER: ['FAIL', 'the cause follows its effect in the journal'],
  LINK_TIME: ['FAIL', 'the cause is later than its effect'],
  LINK_BOOT: ['FAIL', 'the cause is of another boot'],
  LINK_NOT_EXEC: ['FAIL', 'the cause is a record about the journal'],
  SEQ_MISSING: ['FAIL', 'numbers are missing, and no loss covers them'],
  SEQ_REPEATED: ['FAIL', 'a number is repeated, or is out of order'],
  SEQ_START: ['FAIL', 'journal.start expects other numbers than the records have'],
  LOSS_FIELDS: ['FAIL', 'vcml.loss.* does not match the stage'],
  LOSS_PRESENT: [
    'FAIL',
    'the loss covers records that are in the inputs, that a rule withheld, or that an earlier loss covers',
  ],
  WITHHELD_FIELDS: ['FAIL', 'vcml.withheld.* is incomplete, contradictory, or in another record'],
  WITHHELD_PRESENT: [
    'NOTE',
    'the inputs have records that a rule withheld: from the journal itself, or under other rules',
  ],
  HOOK_REMOVED: [
    'WARN',
    'somebody detached programs or removed the hook; what ran then is missing',
  ],
  HOOK_END_UNTOLD: ['FAIL', 'another hook follows, and nothing records the end of the one before'],
  RUN_COUNTS: ['FAIL', 'journal.stop has other counts than the run'],
  RUN_AFTER_STOP: ['FAIL', 'there is a record between journal.stop and journal.start'],
  FIELD_MISSING: ['FAIL', 'a required attribute is missing or has the wrong type'],
  FIELD_VALUE: ['FAIL', 'an attribute has a value that is not allowed'],
  ARGUMENTS: ['FAIL', 'process.args_count does not match process.command_args'],
  CREATED_LATER: ['FAIL', 'the process started after its exec'],
  CREATED_EARLIER: [
    'FAIL',
    'the process started before its cause, and is not the process of its cause',
  ],
  CLOCK: ['FAIL', 'the wall clock of the line is not that of the lines before and behind it'],
  CONTAINER: ['FAIL', 'vcml.entry, vcml.unit or vcml.metadata.state does not match the place'],
  CONTAINER_NAMES: ['FAIL', 'other records have other names for the same container'],
  BLOCK_CHANGED: [
    'FAIL',
    'lines differ from what the checkpoint behind them says: they were changed, dropped, inserted or reordered',
  ],
  CHECKPOINT_FIELDS: ['FAIL', 'vcml.checkpoint.* is incomplete or contradictory'],
  CHECKPOINT_MISSING: ['FAIL', 'checkpoints or segments are missing in the middle of the journal'],
  CHECKPOINT_FORKED: [
    'FAIL',
    'a checkpoint does not continue the ones before it: the journal is not the work of one agent',
  ],
  EPOCH_BEGUN: ['NOTE', 'the checkpoints begin again here'],
  LINES_UNVERIFIED: [
    'NOTE',
    'no checkpoint covers these lines; nobody can say whether they changed',
  ],
  WITNESS_FORKED: ['FAIL', 'the journal differs from what left the node: it was rewritten'],
  WITNESS_AHEAD: ['FAIL', 'the witness has checkpoints that the journal lacks'],
  WITNESS_CONTRADICTS: [
    'FAIL',
    'the witness has two different checkpoints for one place; somebody sent a forged one',
  ],
  NOT_WITNESSED: ['WARN', 'no checkpoint of the journal is in the witness'],
  LINES_UNWITNESSED: ['NOTE', 'no checkpoint that left the node covers these lines yet'],
} as const satisfies Record<string, readonly [Severity, string]>;

/** One of the codes. */
export type Code = keyof typeof CODES;
