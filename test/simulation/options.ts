import { schema } from '../../agent/config/schema.ts';
import { QUIET } from '../support/scripted/script.ts';
import type { Seeded } from '../support/scripted/seeded.ts';

/** The shortest and the longest time between two syncs. */
const SYNC_MS = [20, 300] as const;

/** Chooses the agent's options for a machine; all lives on it have the same. */
export function optionsOf({ among, below, percent }: Seeded) {
  const deletes = percent(40);
  const segmentMaxBytes = among([2500, 6000, 6000, 25_000]);
  return {
    ...schema.parse({
      journalDir: '/replaced',
      print: 'none',
      // Chance may look like a secret.
      arguments: 'full',
      nodeName: 'simulated',
      metadata: 'none',
      exportEndpoint: 'http://127.0.0.1:1',
      exportBatchRecords: among([3, 7, 40]),
      exportCatchUpRate: 0,
      exportRules: among(['', '', `deny executable=${QUIET}`, 'deny']),
      drainInterval: `${among([10, 50, 200])}ms`,
    }),
    sync: among(['always', 'interval', 'interval', 'never'] as const),
    syncInterval: SYNC_MS[0] + below(SYNC_MS[1]),
    segmentMaxBytes,
    segmentMaxAge: among([1500, 20_000, 3_600_000]),
    deletes,
    journalMaxBytes: deletes ? segmentMaxBytes * (4 + below(4)) : 100_000_000,
    exportBatchBytes: among([8000, 20_000, 1_000_000]),
  };
}

/** The options of a simulated agent. */
export type Options = ReturnType<typeof optionsOf>;
