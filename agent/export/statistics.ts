/** The counts of an export since it began, for metrics and status. */
export interface Statistics {
  /** records that the collector accepted */
  exported: number;
  /** records that the collector refused in a partial success */
  rejected: number;
  /** records that are in the dead-letter file */
  deadLetters: number;
  /** attempts to write to that file that failed */
  deadLetterFailures: number;
  /** calls that failed, by gRPC code */
  readonly failures: Map<string, number>;
  /** batches that had to be sent in halves */
  splits: number;
  /** ranges of the journal that were deleted before they were exported */
  skips: number;
  /** when the last call succeeded, Unix milliseconds; 0: none has yet */
  succeededAt: number;
  /** Unix seconds of the last record that is exported or set aside; 0: there is none yet */
  lastRecordTime: number;
}

/** All zero. */
export function createStatistics(): Statistics {
  return {
    exported: 0,
    rejected: 0,
    deadLetters: 0,
    deadLetterFailures: 0,
    splits: 0,
    skips: 0,
    failures: new Map(),
    succeededAt: 0,
    lastRecordTime: 0,
  };
}
