import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Kept, Loaded } from '../config/load.ts';
import type { Config } from '../config/schema.ts';
import { AgentError } from '../errors.ts';
import { openJournal } from '../journal/journal.ts';
import { attended } from '../run/attended.ts';
import type { Report } from '../run/report.ts';
import { loadRunOptions, RUN_OPTIONS_FILE } from '../run/run-options.ts';
import { createCheckpointWriter } from '../run/session/checkpoint.ts';
import { endSession } from '../run/session/ending.ts';
import { openSession } from '../run/session/session.ts';
import { ADDON_PATH, hookOptions, journalOptions } from '../run/wiring.ts';
import { readCpuStates } from '../source/counters.ts';
import { type Hook, openHook, removePins } from '../source/hook.ts';

/** Loads the configuration of the command; `kept` takes the place of defaults. */
type Load = (kept?: Kept) => Promise<Loaded>;

/**
 * Drains the hook into the journal with the options of the last run, then removes programs, maps and
 * pins. `discard` removes them as they are, unread records and unreadable layouts included.
 */
export async function detach(load: Load, { discard }: { discard: boolean }): Promise<number> {
  const given = await load();
  const { config } = given;
  const removed = discard
    ? removePins(ADDON_PATH, config.pinDir)
    : await drainAndRemove(load, given);
  const what = removed.length === 0 ? 'nothing was pinned' : `removed ${removed.join(', ')}`;
  process.stderr.write(`${config.pinDir}: ${what}\n`);
  return 0;
}

async function drainAndRemove(load: Load, given: Loaded): Promise<readonly string[]> {
  const hook = await openHook(
    { ...hookOptions(given.config), attach: false },
    given.config.waitForHook,
  );
  let problem: Error = new AgentError('RING_UNREADABLE', {});
  const report: Report = (one) => {
    if (one.event === 'journal.write_failed') problem = one.error;
  };
  try {
    refuseWithoutJournal(given.config, hook);
    const config = await withRunOptions(load, given, `${hook.arm()}`);
    const journal = await attended(hook, openJournal({ ...journalOptions(config, hook), report }));
    try {
      const listeners = { onRecord: undefined, report };
      const session = await attended(hook, openSession(config, hook, journal, listeners));
      session.pods.close();
      session.enricher.close();
      const checkpoint = createCheckpointWriter(config, session, report);
      const removed = await endSession(session, checkpoint, 'detached');
      await checkpoint.close();
      if (removed === undefined) throw problem;
      return removed;
    } finally {
      await journal.close();
    }
  } finally {
    hook.close();
  }
}

/**
 * Returns the configuration with the options of the last run, so that its records are redacted as
 * before. Options that are given explicitly take precedence. Throws RUN_OPTIONS_UNKNOWN.
 */
async function withRunOptions(load: Load, given: Loaded, hookId: string): Promise<Config> {
  const { journalDir, pinDir } = given.config;
  const run = loadRunOptions(journalDir, hookId);
  if (run !== undefined) {
    for (const [name, value] of Object.entries(run.variables)) process.env[name] ??= value;
    return (await load({ options: run.options, origin: RUN_OPTIONS_FILE })).config;
  }
  if (given.origins.arguments !== undefined) return given.config;
  throw new AgentError('RUN_OPTIONS_UNKNOWN', { file: join(journalDir, RUN_OPTIONS_FILE), pinDir });
}

/** Unread records are not discarded silently. */
function refuseWithoutJournal(config: Config, hook: Hook): void {
  const unread = readCpuStates(hook.cpuStates()).reduce(
    (sum, { seq, readSeq }) => sum + seq - readSeq,
    0,
  );
  if (unread > 0 && !existsSync(config.journalDir))
    throw new AgentError('HOOK_UNREAD', { count: unread, dir: config.journalDir });
}
