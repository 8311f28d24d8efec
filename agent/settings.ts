import type { Config } from './config.ts';
import type { JournalOptions } from './journal/journal.ts';
import { BUILD_DIR, type HookOptions } from './source/hook.ts';

/** The part of the configuration that the hook takes. */
export function hookOptions(config: Config): HookOptions {
  return {
    objectPath: `${BUILD_DIR}exec.bpf.o`,
    pinDir: config.pinDir,
    holder: `node ${config.nodeName}, pid ${process.pid}`,
    ringBytes: config.ringSize,
    tableEntries: config.tableEntries,
    argsBytes: config.argumentsMaxBytes,
    quietAfterMs: config.quietAfter,
    attach: true,
  };
}

/** The part of the configuration that the journal takes. */
export function journalOptions(config: Config): Omit<JournalOptions, 'onProblem' | 'onRetention'> {
  return {
    dir: config.journalDir,
    segmentMaxBytes: config.segmentMaxBytes,
    segmentMaxAgeMs: config.segmentMaxAge,
    maxBytes: config.journalMaxBytes,
    sync: config.sync,
    syncIntervalMs: config.syncInterval,
    compressionLevel: config.compressionLevel,
  };
}
