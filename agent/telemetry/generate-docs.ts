/** Prints docs/metrics.md; a test compares it with the file. */

import { prometheusLabel, prometheusName } from './metric.ts';
import { METRICS } from './metrics.ts';

const TITLES = ['Metric', 'In `/metrics`', 'Kind', 'Unit', 'Description'];

const code = (text: string) => `\`${text}\``;
const rows = METRICS.map((metric) => {
  const { name, kind, unit, attribute, description } = metric;
  const label = attribute === undefined ? '' : `{${prometheusLabel(attribute)}}`;
  const by = attribute === undefined ? '' : ` By ${code(attribute)}.`;
  const exposed = `${prometheusName(metric)}${label}`;
  return [code(name), code(exposed), kind, code(unit), `${description}${by}`];
});
// The formatter pads the cells of a table.
const widths = TITLES.map((_, column) =>
  Math.max(...[TITLES, ...rows].map((cells) => cells[column]?.length ?? 0)),
);
const line = (cells: readonly string[], fill = ' ') =>
  `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0, fill)).join(' | ')} |`;

process.stdout.write(`# Telemetry

<!-- Generated from agent/telemetry/metrics.ts. -->

Set \`telemetryAddress\` to make the agent serve metrics and health over HTTP. It is not set by default:
an agent without it listens on no port and uses about 8 MiB less memory.

A port without a host, such as \`9469\`, is a port of the loopback interface. To let a scraper or a probe
reach the agent from another host, give the address as well: \`0.0.0.0:9469\` or \`[::]:9469\`. The
server has neither TLS nor authentication. Whoever reaches the port can read the metrics on this page.
They name no command and no pod; only the text of export rules appears in them.

Set \`probeAddress\` to serve \`/readyz\` and \`/livez\` on a listener of their own as well, so that no
client of the metrics can keep a probe out. The chart sets both.

If the agent cannot listen, it logs this once, keeps recording, and tries again every five seconds.

## /readyz and /livez

Both paths answer with 200 or 503, and with the reason as JSON:

\`\`\`json
{"status":"fail","checks":{"hook":{"status":"pass","reason":"armed"},
 "journal":{"status":"fail","reason":"cannot write to /var/lib/vcml-agent/journal …"}}}
\`\`\`

- \`/readyz\` passes if the hook is armed and the last write to the journal succeeded. It fails while a
  write has taken more than 10 s, while the agent waits for another agent to release the hook, and from
  the stop signal on. A collector that is unavailable never makes an agent unready: the journal holds
  the records.
- \`/livez\` fails only for what a restart can cure: the agent had work to do and has not read the ring
  buffer for a minute. An idle agent is alive, and so is an agent whose disk is full or does not
  answer. Give the probe a timeout of a few seconds and a failure threshold of three or more.

## /metrics

The agent serves Prometheus' text format. The names follow OpenTelemetry's rules, applied to the first
column; a Collector's Prometheus receiver turns them back into those names. Attributes have the same
names as in records.

Counters start at zero with each run of the agent. \`vcml.hook.*\`, \`vcml.table.*\` and \`vcml.bpf.*\` are
the kernel's counters and outlive the agent. A metric without a value is left out: the metrics of the
export without an endpoint, and all but the first four before the recording begins. A scrape reads what
the agent counts anyway, so that it costs the same at any load.

${line(TITLES)}
${line(['', '', '', '', ''], '-')}
${rows.map((cells) => line(cells)).join('\n')}

## Expressions for alerts

[deploy/alerts](../deploy/alerts/vcml-agent.yaml) has a complete set of rules, and each of them has a
[runbook](runbooks/README.md).

| Expression | Meaning |
|---|---|
| \`sum(increase(vcml_losses_total{vcml_loss_stage!="retention"}[10m])) > 0\` | Records were lost. |
| \`vcml_ring_usage_bytes / vcml_ring_limit_bytes > 0.5\` | The agent does not keep up, or cannot write. |
| \`vcml_journal_writable == 0\` | The journal cannot be written, and the ring buffer fills. |
| \`vcml_table_usage / vcml_table_limit > 0.9\` | New processes will soon be untracked. |
| \`vcml_journal_retention_expected_seconds < 86400\` | The journal will cover less than a day. |
| \`vcml_export_lag_time_seconds > 0.5 * vcml_journal_retention_seconds\` | Records may be deleted before they are exported. |
`);
