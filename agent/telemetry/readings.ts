/** What the agent has counted so far, as it stands when somebody asks. */
export interface Readings {
  readonly version: string;
  /** From here on: once the agent records. */
  readonly recording?: RecordingReadings;
  readonly hook?: HookReadings;
  readonly journal?: JournalReadings;
  /** The last write to it worked. */
  readonly isJournalWritable?: boolean;
  /** Where it is asked for: the last time it came. */
  readonly isMetadataAvailable?: boolean | undefined;
  /** Where there is an exporter. */
  readonly export?: ExportReadings;
}

/** A number for each value of an attribute. */
export type ByValue = Readonly<Record<string, number>>;

/** Of this run. */
export interface RecordingReadings {
  readonly records: number;
  /** by reason */
  readonly gaps: ByValue;
  /** execs whose cgroup could not be named */
  readonly unknownPlaces: number;
  /** journal.loss records, and what they lost as far as its number is known; by stage */
  readonly losses: ByValue;
  readonly lostRecords: ByValue;
  readonly turns: number;
  readonly turnSeconds: number;
}

/** Of the kernel side, since the hook was armed; by program, since it was loaded. */
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
}

export interface JournalReadings {
  /** of this run */
  readonly writtenBytes: number;
  /** of all segments, on disk */
  readonly bytes: number;
  readonly maxBytes: number;
  readonly segments: number;
  /** Unix seconds of the oldest record; undefined: there is none. */
  readonly oldestAt: number | undefined;
}

/** What an exporter registers; of this run. */
export interface ExportReadings {
  readonly exported: number;
  /** not taken, in a partial success */
  readonly rejected: number;
  readonly deadLetters: number;
  /** by the text of the rule */
  readonly keptBack: ByValue;
  /** calls, by gRPC code */
  readonly failures: ByValue;
  readonly splits: number;
  readonly skips: number;
  /** 0: nothing waits */
  readonly lagSeconds: number;
  /** undefined: not known */
  readonly lagRecords: number | undefined;
  /** Unix seconds; undefined: none has succeeded yet */
  readonly succeededAt: number | undefined;
}

/** Where the readings come from, once the agent records. */
export interface Source {
  read(): Promise<Omit<Readings, 'version' | 'isJournalWritable' | 'isMetadataAvailable'>>;
  /** Turns of the drain so far, and whether another one should come. */
  drain(): { readonly turns: number; readonly isDue: boolean };
}
