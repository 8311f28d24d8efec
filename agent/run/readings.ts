import { LOSS_STAGES } from '../../record/types.ts';
import type { Config } from '../config/schema.ts';
import type { JournalExport } from '../export/journal-export.ts';
import type { Journal } from '../journal/journal.ts';
import { timeAt } from '../journal/measure.ts';
import type { Log } from '../log-events.ts';
import { readCpuStates } from '../source/counters.ts';
import type { HookStatistics } from '../source/hook.ts';
import { parseAddress } from '../telemetry/address.ts';
import type {
  ByValue,
  ExportReadings,
  HookReadings,
  RecordingReadings,
  Source,
} from '../telemetry/readings.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import { VERSION } from '../version.ts';
import { boundedCall } from './bounded-call.ts';
import { createLagReader, type Lag } from './export-lag.ts';
import type { DrainLoop } from './session/drain-loop.ts';
import type { PinKeeper } from './session/pin-keeper.ts';
import type { Session } from './session/session.ts';

/** A scrape gets its answer also while the disk does not give back what it reads of the journal. */
const DISK_PATIENCE_MS = 500;

/**
 * Serves metrics and health over HTTP. Returns undefined, and loads nothing, if no address is
 * configured.
 */
export async function openTelemetry(config: Config, log: Log): Promise<Telemetry | undefined> {
  const address = parseAddress(config.telemetryAddress);
  const probeAddress = parseAddress(config.probeAddress);
  if (address === undefined && probeAddress === undefined) return undefined;
  const { Telemetry } = await import('../telemetry/telemetry.ts');
  const metadata = config.metadata !== 'none';
  return new Telemetry({ version: VERSION, metadata, address, probeAddress, log });
}

/** What telemetry reads. */
interface Read {
  readonly session: Session;
  readonly pins: PinKeeper;
  readonly loop: DrainLoop;
  readonly journalExport: JournalExport | undefined;
}

/** Returns the source from which telemetry reads a session and its export. */
export function sourceOf(config: Config, read: Read): Source {
  const { session, pins, loop, journalExport } = read;
  const { hook } = session;
  const readOldest = createOldestReader(config.journalDir, session.journal);
  const readLag = journalExport && createLagReader(config.journalDir, session, journalExport);
  let usage: Usage | undefined;
  const readDisk = boundedCall(async () => {
    try {
      usage = await usageOf(session.journal);
      return { usage, oldestAt: await readOldest(), lag: await readLag?.() };
    } catch (error) {
      if (isOfTheDisk(error)) return undefined;
      throw error;
    }
  }, DISK_PATIENCE_MS);
  return {
    async read() {
      const known = await readDisk();
      const isReadable = known !== undefined;
      return {
        recording: recordingOf(config, session, loop),
        hook: hookOf(session, pins),
        journal: {
          // Without an answer of the disk, the journal is as large as it was.
          bytes: usage?.bytes,
          segments: usage?.segments,
          writtenBytes: known?.usage.writtenBytes ?? session.journal.writtenBytes,
          maxBytes: config.journalMaxBytes,
          oldestAt: known?.oldestAt,
          isReadable,
        },
        ...(journalExport && { export: exportOf(journalExport, known?.lag) }),
      };
    },
    drain() {
      const [drained, written] = hook.positions();
      const isDue = loop.isAwake || written > drained;
      return { turns: loop.turns.count, isDue, isWriting: loop.isWriting };
    },
  };
}

function isOfTheDisk(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).syscall !== undefined;
}

function recordingOf(
  { metadata }: Config,
  { lineage, enricher, pods }: Session,
  { turns }: DrainLoop,
): RecordingReadings {
  const { counts, stages } = lineage;
  return {
    records: counts.records,
    gaps: counts.gaps,
    unknownPlaces: enricher.unknownPlaces,
    podPauseSeconds: metadata === 'none' ? undefined : pods.pausedMs / 1000,
    losses: byValue(LOSS_STAGES, (stage) => [stage, stages.get(stage)?.losses ?? 0]),
    lostRecords: byValue(LOSS_STAGES, (stage) => [stage, stages.get(stage)?.records ?? 0]),
    turns: turns.count,
    turnSeconds: turns.ms / 1000,
  };
}

function hookOf({ hook }: Session, pins: PinKeeper): HookReadings {
  const { programs, ...counts }: HookStatistics = hook.statistics();
  return {
    ...counts,
    execs: readCpuStates(hook.cpuStates()).reduce((sum, { seq }) => sum + seq, 0),
    runs: byValue(programs, ({ name, runCount }) => [name, runCount]),
    runSeconds: byValue(programs, ({ name, runTimeNs }) => [name, runTimeNs / 1e9]),
    recursionMisses: byValue(programs, (one) => [one.name, one.recursionMisses]),
    isPinned: pins.isPinned,
    pinsRestored: pins.restored,
  };
}

interface Usage {
  readonly bytes: number;
  readonly segments: number;
  readonly writtenBytes: number;
}

/**
 * Measures the journal. What it returns is from one moment: the file of the open segment may hold lines
 * of a write that is not counted yet.
 */
async function usageOf(journal: Journal): Promise<Usage> {
  const { all, bytes } = await journal.closed();
  const { writtenBytes, position } = journal;
  return { writtenBytes, bytes: bytes + position.offset, segments: all.length + 1 };
}

function exportOf({ statistics, keptBack }: JournalExport, lag: Lag | undefined): ExportReadings {
  const { failures, succeededAt } = statistics;
  return {
    ...statistics,
    keptBack: Object.fromEntries(keptBack),
    failures: Object.fromEntries(failures),
    lagSeconds: lag?.seconds,
    lagRecords: lag?.records,
    succeededAt: succeededAt === 0 ? undefined : succeededAt / 1000,
  };
}

/**
 * Creates a function that returns the Unix seconds of the oldest record; it reads each oldest
 * segment once.
 */
function createOldestReader(dir: string, journal: Journal): () => Promise<number | undefined> {
  let known: { readonly segment: number; readonly at: number | undefined } | undefined;
  return async () => {
    const { all } = await journal.closed();
    const segment = all[0]?.number ?? journal.position.segment;
    if (known?.at === undefined || known.segment !== segment)
      known = { segment, at: await timeAt(dir) };
    return known.at;
  };
}

function byValue<T>(of: readonly T[], entry: (one: T) => readonly [string, number]): ByValue {
  return Object.fromEntries(of.map(entry));
}
