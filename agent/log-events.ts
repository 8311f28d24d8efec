/**
 * Every line that the agent can write to its log, one entry each: grep for the code, which stands in
 * the line's `event`. A sentence is constant; what varies is in the line's other fields.
 */

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** What a line of the log says. */
export interface LogEvent {
  readonly level: LogLevel;
  /** What happened, and what becomes of records. */
  readonly sentence: string;
  /** What to do about it, where there is something to do. */
  readonly remedy?: string;
}

export const LOG_EVENTS = {
  // the hook
  'hook.attached': {
    level: 'info',
    sentence: 'hook attached; recording',
  },
  'hook.resumed': {
    level: 'info',
    sentence: 'hook of an earlier run resumed; recording',
  },
  'hook.upgraded': {
    level: 'info',
    sentence: 'hook of an earlier run upgraded; recording',
  },
  'hook.pinned_again': {
    level: 'warn',
    sentence: 'pins of the hook were removed and are restored; nothing was detached or lost',
    remedy: 'find out who removes what is in the folder for pins',
  },
  'hook.unpinned': {
    level: 'error',
    sentence:
      'pins of the hook were removed and cannot be restored, retrying; recording continues, but the hook ends with this run',
    remedy: 'see error; then the next run attaches a new hook, and the journal states the loss',
  },

  // a run
  'run.stopping': {
    level: 'info',
    sentence: 'stop signal received; writing the remaining records and stopping',
  },
  'run.records_left_in_ring': {
    level: 'error',
    sentence:
      'stopping while the journal cannot be written; the hook stays attached and holds the remaining records',
    remedy:
      'make the journal writable and start the agent again; it reads what the ring buffer holds',
  },
  'run.pid_namespace_missing': {
    level: 'warn',
    sentence:
      'other processes are not visible; gaps do not name them, and vcml.entry may be missing',
    remedy: 'run the agent in the host’s pid namespace (hostPID: true)',
  },
  'run.ptrace_missing': {
    level: 'warn',
    sentence:
      'executables and mount namespaces of other processes cannot be read; gaps do not name executables, and vcml.entry may be missing',
    remedy: 'run the agent with CAP_SYS_PTRACE, and let AppArmor allow it ptrace (read)',
  },
  'run.state_missing': {
    level: 'warn',
    sentence:
      'no state of the last run; reading the journal back while the hook records; a large journal takes minutes',
  },
  'run.state_write_failed': {
    level: 'warn',
    sentence:
      'state.json cannot be written; status shows older numbers, and the next start takes longer',
  },
  'run.options_write_failed': {
    level: 'warn',
    sentence: 'run-options.json cannot be written; detach will ask for the options of this run',
    remedy: 'see error; make the journal’s folder writable, and start the agent again',
  },
  'run.containers_write_failed': {
    level: 'warn',
    sentence:
      'containers.jsonl cannot be written; after a restart, records of containers that are gone may lack their names',
    remedy: 'see error; make the journal’s folder writable',
  },

  // an uninstall
  'uninstall.watching': {
    level: 'info',
    sentence: 'watching the DaemonSet; the hook is detached when the DaemonSet is deleted',
  },
  'uninstall.watch_failed': {
    level: 'warn',
    sentence:
      'DaemonSet cannot be read, retrying; until then the hook would stay attached after an uninstall',
    remedy: 'check the agent’s RBAC rules and its way to the API server',
  },
  'uninstall.detected': {
    level: 'info',
    sentence: 'DaemonSet was deleted; detaching the hook',
  },
  'uninstall.not_detected': {
    level: 'info',
    sentence: 'DaemonSet was not deleted; the hook stays attached for the next agent',
  },

  // the journal
  'journal.torn_line_cut': {
    level: 'warn',
    sentence: 'incomplete last line cut from the journal; an earlier run or the machine crashed',
  },
  'journal.write_failed': {
    level: 'error',
    sentence:
      'journal cannot be written, retrying every second; new records are held in the ring buffer until it is full',
    remedy: 'see error; in most cases the disk is full',
  },
  'journal.write_stalled': {
    level: 'error',
    sentence:
      'the disk of the journal does not answer; new records are held in the ring buffer until it is full',
    remedy: 'see what the kernel reports about that disk (dmesg), and whether it is frozen',
  },
  'journal.write_recovered': {
    level: 'info',
    sentence: 'journal can be written again',
  },
  'journal.upkeep_failed': {
    level: 'error',
    sentence:
      'a journal segment could not be synced, compressed or deleted, or a checkpoint could not be written; recording continues',
    remedy: 'see error, which names the file',
  },
  'journal.checkpoint_key_invalid': {
    level: 'error',
    sentence: 'checkpoint key cannot be read; signing with the previous key',
    remedy: 'see error, which names the file',
  },
  'journal.segment_unreadable': {
    level: 'error',
    sentence: 'a journal segment, or lines of it, cannot be read and are skipped',
    remedy: 'see error, which names the file',
  },
  'journal.deleted': {
    level: 'info',
    sentence: 'journal deleted',
  },
  'journal.deleted_in_part': {
    level: 'warn',
    sentence: 'journal deleted; its folder stays because it holds other files',
    remedy: 'remove the files named in left if nobody needs them',
  },
  'journal.delete_failed': {
    level: 'error',
    sentence: 'journal could not be deleted',
    remedy: 'see error, and delete the folder by hand',
  },

  // metadata of pods
  'metadata.unavailable': {
    level: 'warn',
    sentence: 'pod metadata unavailable; recording container-runtime data only, retrying',
    remedy: 'see error; check RBAC rules and network policies for the API server or the kubelet',
  },
  'metadata.reduced': {
    level: 'warn',
    sentence: 'pod is too large; keeping a part of its metadata; its records are partial',
    remedy:
      'look at the pod: it has very many containers or very long names, or there are very many pods',
  },
  'metadata.runtime_stalled': {
    level: 'warn',
    sentence:
      'files of the container runtime take more than a second to read; records do not wait for them, and may lack names',
    remedy: 'see what the file system of the runtime’s state folders waits for',
  },
  'metadata.available': {
    level: 'info',
    sentence: 'pod metadata available again',
  },

  // metrics and health
  'telemetry.listening': {
    level: 'info',
    sentence: 'serving metrics and health',
  },
  'telemetry.listen_failed': {
    level: 'warn',
    sentence: 'metrics and health cannot be served, retrying; recording continues',
    remedy: 'see error; another process may use the address in telemetryAddress',
  },
  'telemetry.request_failed': {
    level: 'error',
    sentence: 'a request for metrics or health failed because of a bug; recording continues',
    remedy: 'report the stack in error',
  },

  // export
  'export.rule_evadable': {
    level: 'warn',
    sentence:
      'an export rule keeps back execs by what any pod can choose, so a pod can hide from the export',
    remedy: 'add origin=host, or namespace= with a name, to the rule',
  },
  'export.started': {
    level: 'info',
    sentence: 'exporting records',
  },
  'export.collector_unavailable': {
    level: 'warn',
    sentence: 'collector unavailable; records are held in the journal',
    remedy:
      'see code and details; check that the collector runs and that exportEndpoint reaches it',
  },
  'export.collector_denied': {
    level: 'error',
    sentence: 'collector denied the export; records are held in the journal',
    remedy: 'check exportTokenFile, exportHeadersFile and exportClientCertificate',
  },
  'export.collector_available': {
    level: 'info',
    sentence: 'collector available again',
  },
  'export.records_rejected': {
    level: 'warn',
    sentence: 'collector rejected some records of a batch; they are not sent again',
    remedy: 'message is the collector’s reason; the journal still has the records',
  },
  'export.record_refused': {
    level: 'error',
    sentence: 'collector refused a record for good; the record is in the dead-letter file',
    remedy: 'code and details are the collector’s reason; send the record again once that is fixed',
  },
  'export.every_record_refused': {
    level: 'error',
    sentence: 'collector refuses every record; records are held in the journal, retrying',
    remedy: 'code and details are the collector’s reason',
  },
  'export.encoder_fault': {
    level: 'error',
    sentence:
      'records are exported with OpenTelemetry’s own serializer, because the agent’s encoder is faulty',
    remedy: 'report this as a bug, with the code and details if there are any; no record is lost',
  },
  'export.dead_letter_write_failed': {
    level: 'error',
    sentence: 'dead-letter file cannot be written; records are held in the journal, retrying',
    remedy: 'free space, or see what the kernel reports about the disk of the journal',
  },
  'export.dead_letters_deleted': {
    level: 'warn',
    sentence: 'oldest dead letters were deleted to make room for new ones',
  },
  'export.credentials_invalid': {
    level: 'error',
    sentence: 'export credentials are invalid; the previous ones stay in use',
    remedy: 'see error, which names the file',
  },
  'export.segments_deleted': {
    level: 'error',
    sentence: 'journal segments were deleted before they were exported',
    remedy: 'raise journalMaxBytes, or make the collector take records faster',
  },
  'export.segment_skipped': {
    level: 'error',
    sentence: 'a journal segment cannot be read and is not exported',
    remedy: 'see error, which names the file',
  },
  'export.journal_unreadable': {
    level: 'error',
    sentence: 'journal cannot be read for the export, retrying',
  },
  'export.cursor_write_failed': {
    level: 'error',
    sentence:
      'export position cannot be saved, retrying; after a restart some records are sent twice',
  },
  'export.failed': {
    level: 'error',
    sentence:
      'export stopped because of a bug; recording continues, and the next run exports the rest',
    remedy: 'report the stack in error, and restart the agent to export again',
  },
  'export.unfinished': {
    level: 'warn',
    sentence: 'some records were not exported before the agent stopped; the next run exports them',
  },
} as const satisfies Readonly<Record<string, LogEvent>>;

export type LogEventCode = keyof typeof LOG_EVENTS;

/** Writes one line to the agent's log: the event that a code names, and in fields what varies. */
export type Log = (code: LogEventCode, fields?: Readonly<Record<string, unknown>>) => void;
