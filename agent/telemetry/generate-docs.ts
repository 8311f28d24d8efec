/** Prints docs/metrics.md; a test compares it. */

import { prometheusLabel, prometheusName } from './metric.ts';
import { METRICS } from './metrics.ts';

const TITLES = ['metric', 'in `/metrics`', 'kind', 'unit', 'what it says'];

const code = (text: string) => `\`${text}\``;
const rows = METRICS.map((metric) => {
  const { name, kind, unit, attribute, description } = metric;
  const label = attribute === undefined ? '' : `{${prometheusLabel(attribute)}}`;
  const by = attribute === undefined ? '' : ` By ${code(attribute)}.`;
  const exposed = `${prometheusName(metric)}${label}`;
  return [code(name), code(exposed), kind, code(unit), `${description}${by}`];
});
// As the formatter wants it.
const widths = TITLES.map((_, column) =>
  Math.max(...[TITLES, ...rows].map((cells) => cells[column]?.length ?? 0)),
);
const line = (cells: readonly string[], fill = ' ') =>
  `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0, fill)).join(' | ')} |`;

process.stdout.write(`# Telemetry

<!-- Generated from agent/telemetry/metrics.ts. -->

\`telemetryAddress\` makes the agent serve three paths over HTTP, on one port. It is off by default: a
recorder that nobody asks listens nowhere, and has about 8 MiB less to carry. A bare port, such as
\`9469\`, is one of the loopback interface; for a scraper or probes from elsewhere give the address as
well, \`0.0.0.0:9469\` or \`[::]:9469\`. There is neither TLS nor a password: whoever reaches the port
reads what stands below, which names no command and no pod, but for what the rules of the export name.

A port that is taken, or an address that is not there yet, stops nothing: the log says so once, the
recording goes on, and every five seconds the agent tries again.

## /readyz and /livez

200 or 503, and why, as JSON:

\`\`\`json
{"status":"fail","checks":{"hook":{"status":"pass","reason":"armed"},
 "journal":{"status":"fail","reason":"cannot write to /var/lib/vcml-agent/journal …"}}}
\`\`\`

- \`/readyz\`: the hook is armed and the last write to the journal worked. Before that, while the agent
  waits for another one to let go of the hook, and from the signal to end on, it is 503. A collector that
  is down never makes an agent unready: the journal keeps what it has to get.
- \`/livez\`: fails only for what a restart would cure: for a minute, as the probes saw it, the drain has
  not turned though there was work. An agent that sleeps because nothing happens is alive; so is one
  whose disk is full. One that hangs in the kernel, as on a network file system that is gone, does not
  answer at all: give the probe a timeout of some seconds and a failure threshold of three or more.

## /metrics

Prometheus' text format. The names are OpenTelemetry's rules applied to the names of the first
column: what a Collector's Prometheus receiver makes of them. Attributes are those of the records where
there are such. Counters are of this run, but for \`vcml.hook.*\`, \`vcml.table.*\` and \`vcml.bpf.*\`, which
are the kernel's and outlive the agent. Nothing is counted for the metrics' sake: a scrape reads what
the agent counts anyway, so it costs the same at any load. A metric of which nothing is known is not
there: those of the export without an exporter, all but the first four before the recording begins.

${line(TITLES)}
${line(['', '', '', '', ''], '-')}
${rows.map((cells) => line(cells)).join('\n')}

## Worth an alert

| expression | meaning |
|---|---|
| \`sum(increase(vcml_losses_total{vcml_loss_stage!="retention"}[10m])) > 0\` | records were lost |
| \`vcml_ring_usage_bytes / vcml_ring_limit_bytes > 0.5\` | the agent does not keep up, or cannot write |
| \`vcml_journal_writable == 0\` | the journal takes nothing; the ring fills |
| \`vcml_table_usage / vcml_table_limit > 0.9\` | soon processes go untracked |
| \`vcml_journal_retention_expected_seconds < 86400\` | the journal will hold less than a day |
| \`vcml_export_lag_time_seconds > 0.5 * vcml_journal_retention_seconds\` | deletion comes nearer than the export |
`);
