import { existsSync } from 'node:fs';
import type { Config } from '../config/schema.ts';
import { AgentError } from '../errors.ts';
import { openJournal } from '../journal/journal.ts';
import type { Report } from '../run/report.ts';
import { createCheckpointWriter } from '../run/session/checkpoint.ts';
import { endSession } from '../run/session/ending.ts';
import { openSession } from '../run/session/session.ts';
import { ADDON_PATH, hookOptions, journalOptions } from '../run/wiring.ts';
import { readCpuStates } from '../source/counters.ts';
import { type Hook, openHook, removePins } from '../source/hook.ts';

/**
 * Drains the hook into the journal, then removes programs, maps and pins. `discard` removes them as
 * they are, unread records and unreadable layouts included.
 */
export async function detach(config: Config, { discard }: { discard: boolean }): Promise<number> {
  const removed = discard ? removePins(ADDON_PATH, config.pinDir) : await drainAndRemove(config);
  const what = removed.length === 0 ? 'nothing was pinned' : `removed ${removed.join(', ')}`;
  process.stderr.write(`${config.pinDir}: ${what}\n`);
  return 0;
}

async function drainAndRemove(config: Config): Promise<readonly string[]> {
  const hook = await openHook({ ...hookOptions(config), attach: false }, config.waitForHook);
  let problem: Error = new AgentError('RING_UNREADABLE', {});
  const report: Report = (one) => {
    if (one.event === 'journal.write_failed') problem = one.error;
  };
  try {
    refuseWithoutJournal(config, hook);
    const journal = openJournal({ ...journalOptions(config), report });
    try {
      const session = await openSession(config, hook, journal, { onRecord: undefined, report });
      session.pods.close();
      const checkpoint = createCheckpointWriter(config, session, report);
      const removed = endSession(session, checkpoint, 'detached');
      if (removed === undefined) throw problem;
      return removed;
    } finally {
      await journal.close();
    }
  } finally {
    hook.close();
  }
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
