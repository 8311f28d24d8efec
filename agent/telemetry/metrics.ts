import { counter, counters, gauge, gauges, type Metric } from './metric.ts';
import type { JournalReadings } from './readings.ts';

/** Every metric of the agent, declared once: /metrics and docs/metrics.md come from here. */
export const METRICS: readonly Metric[] = [
  gauges(
    ['vcml.agent.info', '{agent}', 'Always 1; the version of the agent.'],
    'service.version',
    ({ version }) => ({ [version]: 1 }),
  ),
  gauge(['process.uptime', 's', 'How long the agent has been running.'], () => process.uptime()),
  counters(
    ['process.cpu.time', 's', 'CPU time that the agent has taken, its threads together.'],
    'cpu.mode',
    () => {
      const { user, system } = process.cpuUsage();
      return { user: user / 1e6, system: system / 1e6 };
    },
  ),
  gauge(
    ['process.memory.usage', 'By', 'Resident memory, the pages of the mapped ring included.'],
    () => process.memoryUsage.rss(),
  ),

  counter(
    ['vcml.records', '{record}', 'Execs that were recorded.'],
    ({ recording }) => recording?.records,
  ),
  counters(
    ['vcml.gaps', '{record}', 'Records whose cause is not known, by the reason.'],
    'vcml.gap.reason',
    ({ recording }) => recording?.gaps,
  ),
  counter(
    [
      'vcml.places.unknown',
      '{record}',
      'Execs whose cgroup could not be named; their records have no process.linux.cgroup.',
    ],
    ({ recording }) => recording?.unknownPlaces,
  ),
  counters(
    ['vcml.losses', '{loss}', 'journal.loss records, by the stage of the loss.'],
    'vcml.loss.stage',
    ({ recording }) => recording?.losses,
  ),
  counters(
    ['vcml.lost.records', '{record}', 'What they lost, as far as its number is known.'],
    'vcml.loss.stage',
    ({ recording }) => recording?.lostRecords,
  ),
  counter(
    ['vcml.drain.turns', '{turn}', 'How often the ring was drained, or looked at in vain.'],
    ({ recording }) => recording?.turns,
  ),
  counter(
    [
      'vcml.drain.time',
      's',
      'How long that took in all: to read the ring, make records, write their lines.',
    ],
    ({ recording }) => recording?.turnSeconds,
  ),

  counter(
    ['vcml.hook.execs', '{exec}', 'Execs that the kernel numbered since the hook was armed.'],
    ({ hook }) => hook?.execs,
  ),
  gauge(
    ['vcml.ring.usage', 'By', 'Bytes in the ring that are not in the journal yet.'],
    ({ hook }) => hook?.usedBytes,
  ),
  gauge(['vcml.ring.limit', 'By', 'The size of the ring.'], ({ hook }) => hook?.ringBytes),
  gauge(
    ['vcml.table.usage', '{process}', 'Processes in the kernel’s table of causes.'],
    ({ hook }) => hook?.tableEntries,
  ),
  gauge(['vcml.table.limit', '{process}', 'How many it can have.'], ({ hook }) => hook?.tableMax),
  counter(
    ['vcml.table.untracked', '{process}', 'Processes that found no room in it.'],
    ({ hook }) => hook?.untracked,
  ),
  counters(
    [
      'vcml.bpf.runs',
      '{run}',
      'How often each program ran; counted while the sysctl kernel.bpf_stats_enabled is 1.',
    ],
    'bpf.program.name',
    ({ hook }) => hook?.runs,
  ),
  counters(
    ['vcml.bpf.time', 's', 'How long that took in all; measured under the same condition.'],
    'bpf.program.name',
    ({ hook }) => hook?.runSeconds,
  ),
  counters(
    ['vcml.bpf.recursion.misses', '{run}', 'How often the kernel skipped a program.'],
    'bpf.program.name',
    ({ hook }) => hook?.recursionMisses,
  ),

  gauge(
    [
      'vcml.metadata.available',
      '{source}',
      'Where pods’ metadata is asked for: 1, or 0 since that failed, until it comes again.',
    ],
    ({ isMetadataAvailable: is }) => (is === undefined ? undefined : Number(is)),
  ),

  counter(
    ['vcml.journal.written', 'By', 'Bytes written to the journal.'],
    ({ journal }) => journal?.writtenBytes,
  ),
  gauge(
    ['vcml.journal.writable', '{journal}', '1, or 0 since a write failed, until one succeeds.'],
    ({ journal, isJournalWritable }) => journal && Number(isJournalWritable),
  ),
  gauge(
    ['vcml.journal.usage', 'By', 'The journal on disk, all segments.'],
    ({ journal }) => journal?.bytes,
  ),
  gauge(
    ['vcml.journal.limit', 'By', 'How much that may be: `journalMaxBytes`.'],
    ({ journal }) => journal?.maxBytes,
  ),
  gauge(
    ['vcml.journal.segments', '{segment}', 'How many segments there are, with the open one.'],
    ({ journal }) => journal?.segments,
  ),
  gauge(
    ['vcml.journal.retention', 's', 'How far back the journal goes; 3600 is an hour.'],
    ({ journal }) => journal && ageOf(journal),
  ),
  gauge(
    [
      'vcml.journal.retention.expected',
      's',
      'How far back it will go once it is full, if records keep coming as they have.',
    ],
    ({ journal }) => journal && expectedOf(journal),
  ),

  counters(
    [
      'vcml.export.records',
      '{record}',
      'Records that the exporter is done with: `exported`, `rejected` in a partial success, or set aside as a `dead_letter`.',
    ],
    'vcml.export.outcome',
    ({ export: of }) =>
      of && { exported: of.exported, rejected: of.rejected, dead_letter: of.deadLetters },
  ),
  counters(
    ['vcml.export.kept_back', '{record}', 'Records that a rule kept from being exported.'],
    'vcml.export.rule',
    ({ export: of }) => of?.keptBack,
  ),
  counters(
    [
      'vcml.export.failures',
      '{call}',
      'Calls that failed, by gRPC code; their records are sent again, in parts, or set aside.',
    ],
    'rpc.response.status_code',
    ({ export: of }) => of?.failures,
  ),
  counter(
    ['vcml.export.splits', '{batch}', 'Batches that were sent in halves.'],
    ({ export: of }) => of?.splits,
  ),
  counter(
    ['vcml.export.skips', '{range}', 'Parts of the journal that were deleted before their export.'],
    ({ export: of }) => of?.skips,
  ),
  gauge(
    ['vcml.export.lag.time', 's', 'How old the last exported record is while others wait, else 0.'],
    ({ export: of }) => of?.lagSeconds,
  ),
  gauge(
    ['vcml.export.lag.records', '{record}', 'Lines of the journal that wait to be exported.'],
    ({ export: of }) => of?.lagRecords,
  ),
  gauge(
    ['vcml.export.last_success.timestamp', 's', 'When a call last succeeded, Unix time.'],
    ({ export: of }) => of?.succeededAt,
  ),
];

function ageOf({ oldestAt }: JournalReadings): number | undefined {
  return oldestAt === undefined ? undefined : Math.max(0, Date.now() / 1000 - oldestAt);
}

/** The deletion of the oldest segment keeps room for the open one: what counts is bytes by time. */
function expectedOf(journal: JournalReadings): number | undefined {
  const age = ageOf(journal);
  return age === undefined || journal.bytes === 0
    ? undefined
    : age * Math.max(1, journal.maxBytes / journal.bytes);
}
