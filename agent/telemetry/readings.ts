/** What the agent has counted at the moment of a scrape. */
export interface Readings {
  readonly version: string;
  /** This and the following are undefined until the agent records. */
  readonly recording?: RecordingReadings;
  readonly hook?: HookReadings;
  readonly journal?: JournalReadings;
  /** Whether the last write to it succeeded. */
  readonly isJournalWritable?: boolean;
  /** Whether the last request for pod metadata succeeded; undefined if the agent makes none. */
  readonly isMetadataAvailable?: boolean | undefined;
  /** How often a pod was too large to be kept whole; undefined as above. */
  readonly reducedPods?: number | undefined;
  /** how often a segment could not be synced, compressed or deleted */
  readonly upkeepFailures?: number;
  /** undefined if nothing is exported */
  readonly export?: ExportReadings;
}

/** Numbers by the value of an attribute. */
export type ByValue = Readonly<Record<string, number>>;

/** Counts of this run. */
export interface RecordingReadings {
  readonly records: number;
  /** by reason */
  readonly gaps: ByValue;
  /** execs whose cgroup could not be named */
  readonly unknownPlaces: number;
  /** undefined if the agent requests no metadata of pods */
  readonly podPauseSeconds: number | undefined;
  /** journal.loss records, and the known number of records that they lost; by stage */
  readonly losses: ByValue;
  readonly lostRecords: ByValue;
  readonly turns: number;
  readonly turnSeconds: number;
}

/** Counts of the kernel side since the hook was armed; by program, since it was loaded. */
export interface HookReadings {
  readonly execs: number;
  readonly ringBytes: number;
  readonly usedBytes: number;
  readonly tableEntries: number;
  readonly tableMax: number;
  readonly untracked: number;
  readonly runs: ByValue;
  readonly runSeconds: ByValue;
  readonly recursionMisses: ByValue;
  /** Whether it outlives the agent. */
  readonly isPinned: boolean;
  /** pins that others removed in this run */
  readonly pinsRestored: number;
}

/** The readings of the journal. */
export interface JournalReadings {
  /** of this run */
  readonly writtenBytes: number;
  /** of all segments, on disk; this and their number are undefined until the disk has answered */
  readonly bytes: number | undefined;
  readonly segments: number | undefined;
  readonly maxBytes: number;
  /** Unix seconds of the oldest record; undefined: there is none, or the disk does not answer. */
  readonly oldestAt: number | undefined;
  /** Whether the disk gave back in time what this scrape reads of the journal. */
  readonly isReadable: boolean;
}

/** Counts of the export in this run. */
export interface ExportReadings {
  readonly exported: number;
  /** not accepted, in a partial success */
  readonly rejected: number;
  readonly deadLetters: number;
  /** attempts to write a dead letter */
  readonly deadLetterFailures: number;
  /** by the text of the rule */
  readonly keptBack: ByValue;
  /** calls, by gRPC code */
  readonly failures: ByValue;
  readonly splits: number;
  readonly skips: number;
  /** 0: nothing waits; undefined: the disk does not answer */
  readonly lagSeconds: number | undefined;
  /** undefined: not known */
  readonly lagRecords: number | undefined;
  /** Unix seconds; undefined: none has succeeded yet */
  readonly succeededAt: number | undefined;
}

/** The source of the readings once the agent records. */
export interface Source {
  read(): Promise<Pick<Readings, 'recording' | 'hook' | 'journal' | 'export'>>;
  /** Returns the turns of the drain so far, whether another one is due, or waits for the disk. */
  drain(): { readonly turns: number; readonly isDue: boolean; readonly isWriting: boolean };
}
