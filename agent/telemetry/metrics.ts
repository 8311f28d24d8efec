import { KEYS } from '../../record/fields.ts';
import { counter, counters, gauge, gauges, type Metric } from './metric.ts';
import type { JournalReadings } from './readings.ts';

/** Every metric of the agent, declared once: /metrics and docs/metrics.md come from here. */
export const METRICS: readonly Metric[] = [
  gauges(
    ['vcml.agent.info', '{agent}', 'Version of the agent, as an attribute; the value is always 1.'],
    'service.version',
    ({ version }) => ({ [version]: 1 }),
  ),
  gauge(['process.uptime', 's', 'Time since the agent started.'], () => process.uptime()),
  counters(['process.cpu.time', 's', 'CPU time of all threads of the agent.'], 'cpu.mode', () => {
    const { user, system } = process.cpuUsage();
    return { user: user / 1e6, system: system / 1e6 };
  }),
  gauge(
    [
      'process.memory.usage',
      'By',
      'Resident memory of the agent, including the mapped ring buffer.',
    ],
    () => process.memoryUsage.rss(),
  ),

  counter(
    ['vcml.records', '{record}', 'Number of recorded execs.'],
    ({ recording }) => recording?.records,
  ),
  counters(
    ['vcml.gaps', '{record}', 'Number of records whose cause is not known, by reason.'],
    KEYS.gapReason,
    ({ recording }) => recording?.gaps,
  ),
  counter(
    [
      'vcml.places.unknown',
      '{record}',
      'Number of execs whose cgroup has no known path; their records have no process.linux.cgroup.',
    ],
    ({ recording }) => recording?.unknownPlaces,
  ),
  counters(
    ['vcml.losses', '{loss}', 'Number of journal.loss records, by stage of the loss.'],
    KEYS.lossStage,
    ({ recording }) => recording?.losses,
  ),
  counters(
    [
      'vcml.lost.records',
      '{record}',
      'Number of records that are known to be lost, by stage of the loss.',
    ],
    KEYS.lossStage,
    ({ recording }) => recording?.lostRecords,
  ),
  counter(
    ['vcml.drain.turns', '{turn}', 'Number of ring-buffer polls, including empty ones.'],
    ({ recording }) => recording?.turns,
  ),
  counter(
    [
      'vcml.drain.time',
      's',
      'Time spent reading the ring buffer, making records and writing lines.',
    ],
    ({ recording }) => recording?.turnSeconds,
  ),

  counter(
    [
      'vcml.hook.execs',
      '{exec}',
      'Number of execs that the kernel has numbered since the hook was armed.',
    ],
    ({ hook }) => hook?.execs,
  ),
  gauge(
    [
      'vcml.hook.pinned',
      '{hook}',
      'Whether the hook outlives the agent: 1, or 0 while its pins cannot be restored.',
    ],
    ({ hook }) => hook && Number(hook.isPinned),
  ),
  counter(
    [
      'vcml.hook.pins.restored',
      '{pin}',
      'Number of pins of the hook that others removed and the agent restored.',
    ],
    ({ hook }) => hook?.pinsRestored,
  ),
  gauge(
    ['vcml.ring.usage', 'By', 'Bytes in the ring buffer that are not in the journal yet.'],
    ({ hook }) => hook?.usedBytes,
  ),
  gauge(['vcml.ring.limit', 'By', 'Size of the ring buffer.'], ({ hook }) => hook?.ringBytes),
  gauge(
    ['vcml.table.usage', '{process}', 'Number of processes in the kernel’s table of causes.'],
    ({ hook }) => hook?.tableEntries,
  ),
  gauge(
    ['vcml.table.limit', '{process}', 'Maximum number of processes in the table of causes.'],
    ({ hook }) => hook?.tableMax,
  ),
  counter(
    [
      'vcml.table.untracked',
      '{process}',
      'Number of processes that did not fit into the table of causes.',
    ],
    ({ hook }) => hook?.untracked,
  ),
  counters(
    [
      'vcml.bpf.runs',
      '{run}',
      'Number of runs of each BPF program, counted while the sysctl kernel.bpf_stats_enabled is 1.',
    ],
    'bpf.program.name',
    ({ hook }) => hook?.runs,
  ),
  counters(
    [
      'vcml.bpf.time',
      's',
      'Run time of each BPF program, measured while the sysctl kernel.bpf_stats_enabled is 1.',
    ],
    'bpf.program.name',
    ({ hook }) => hook?.runSeconds,
  ),
  counters(
    [
      'vcml.bpf.recursion.misses',
      '{run}',
      'Number of times that the kernel skipped a BPF program.',
    ],
    'bpf.program.name',
    ({ hook }) => hook?.recursionMisses,
  ),

  gauge(
    [
      'vcml.metadata.available',
      '{source}',
      'Whether pod metadata is available: 1, or 0 while its source cannot be reached.',
    ],
    ({ isMetadataAvailable: is }) => (is === undefined ? undefined : Number(is)),
  ),
  counter(
    [
      'vcml.metadata.reduced',
      '{pod}',
      'Number of pods that were too large to be kept whole, or too many; their records are partial.',
    ],
    ({ reducedPods }) => reducedPods,
  ),
  counter(
    [
      'vcml.metadata.paused.time',
      's',
      'Time for which pods were not read because reading them took too much of the time.',
    ],
    ({ recording }) => recording?.podPauseSeconds,
  ),

  counter(
    ['vcml.journal.written', 'By', 'Bytes written to the journal.'],
    ({ journal }) => journal?.writtenBytes,
  ),
  gauge(
    [
      'vcml.journal.writable',
      '{journal}',
      'Whether the journal can be written: 1, or 0 if the last write failed.',
    ],
    ({ journal, isJournalWritable }) => journal && Number(isJournalWritable),
  ),
  counter(
    [
      'vcml.journal.upkeep.failures',
      '{failure}',
      'Number of failed syncs, compressions and deletions of journal segments, and of checkpoints that could not be written.',
    ],
    ({ upkeepFailures }) => upkeepFailures,
  ),
  gauge(
    [
      'vcml.journal.readable',
      '{journal}',
      'Whether the disk gave the journal back without an error, within half a second: 1, or 0; then retention and the lag of the export are missing.',
    ],
    ({ journal }) => journal && Number(journal.isReadable),
  ),
  gauge(
    ['vcml.journal.usage', 'By', 'Size of all journal segments on disk.'],
    ({ journal }) => journal?.bytes,
  ),
  gauge(
    [
      'vcml.journal.limit',
      'By',
      'Maximum size of the journal on disk, as set by `journalMaxBytes`.',
    ],
    ({ journal }) => journal?.maxBytes,
  ),
  gauge(
    ['vcml.journal.segments', '{segment}', 'Number of journal segments, including the open one.'],
    ({ journal }) => journal?.segments,
  ),
  gauge(
    ['vcml.journal.retention', 's', 'Age of the oldest record in the journal.'],
    ({ journal }) => journal && ageOf(journal),
  ),
  gauge(
    [
      'vcml.journal.retention.expected',
      's',
      'Expected age of the oldest record once the journal is full, at the current rate.',
    ],
    ({ journal }) => journal && expectedOf(journal),
  ),

  counters(
    [
      'vcml.export.records',
      '{record}',
      'Number of records that the export has finished: `exported`, `rejected` in a partial success, or written to the dead-letter file (`dead_letter`).',
    ],
    'vcml.export.outcome',
    ({ export: of }) =>
      of && { exported: of.exported, rejected: of.rejected, dead_letter: of.deadLetters },
  ),
  counter(
    [
      'vcml.export.dead_letter.failures',
      '{attempt}',
      'Number of failed attempts to write to the dead-letter file; the export waits until one succeeds.',
    ],
    ({ export: of }) => of?.deadLetterFailures,
  ),
  counters(
    [
      'vcml.export.kept_back',
      '{record}',
      'Number of records that a rule excluded from the export.',
    ],
    'vcml.export.rule',
    ({ export: of }) => of?.keptBack,
  ),
  counters(
    [
      'vcml.export.failures',
      '{call}',
      'Number of failed export requests, by gRPC code; their records are sent again, split, or written to the dead-letter file.',
    ],
    'rpc.response.status_code',
    ({ export: of }) => of?.failures,
  ),
  counter(
    [
      'vcml.export.splits',
      '{batch}',
      'Number of batches that were split in two because the receiver refused them.',
    ],
    ({ export: of }) => of?.splits,
  ),
  counter(
    [
      'vcml.export.skips',
      '{range}',
      'Number of ranges of the journal that were deleted before they were exported.',
    ],
    ({ export: of }) => of?.skips,
  ),
  gauge(
    [
      'vcml.export.lag.time',
      's',
      'Age of the last exported record while other records wait, or 0 if none waits.',
    ],
    ({ export: of }) => of?.lagSeconds,
  ),
  gauge(
    ['vcml.export.lag.records', '{record}', 'Number of journal lines that wait to be exported.'],
    ({ export: of }) => of?.lagRecords,
  ),
  gauge(
    ['vcml.export.last_success.timestamp', 's', 'Unix time of the last successful export request.'],
    ({ export: of }) => of?.succeededAt,
  ),
];

function ageOf({ oldestAt }: JournalReadings): number | undefined {
  return oldestAt === undefined ? undefined : Math.max(0, Date.now() / 1000 - oldestAt);
}

/** Estimates the age of the oldest record once the journal is full, from bytes per time. */
function expectedOf(journal: JournalReadings): number | undefined {
  const age = ageOf(journal);
  return age === undefined || !journal.bytes
    ? undefined
    : age * Math.max(1, journal.maxBytes / journal.bytes);
}
