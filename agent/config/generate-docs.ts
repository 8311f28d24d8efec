/** Prints docs/configuration.md; a test compares it. */

import { OPTIONS } from './options.ts';

const TITLES = ['option', 'what it does', 'values', 'default'];

const rows = OPTIONS.map(({ key, description, values, default: text }) =>
  [`\`${key}\``, description, values, `\`${text}\``].map((cell) => cell.replaceAll('|', '\\|')),
);
// As the formatter wants it.
const widths = TITLES.map((_, column) =>
  Math.max(...[TITLES, ...rows].map((cells) => cells[column]?.length ?? 0)),
);
const line = (cells: readonly string[], fill = ' ') =>
  `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0, fill)).join(' | ')} |`;

process.stdout.write(`# Configuration

<!-- Generated from agent/config/schema.ts. -->

Each option has three names: \`journalDir\` in the YAML file that \`--config FILE\` (or
\`VCML_AGENT_CONFIG\`) names, \`--journal-dir\` on the command line, \`VCML_AGENT_JOURNAL_DIR\` in the
environment. A flag goes before a variable, a variable before the file. An empty variable counts as
not set. An unknown key or a bad value stops the agent with exit code 78 and names every problem.

Some options of the export can also be given by the variables of the OpenTelemetry specification
([export.md](export.md)). They go before the file, and behind the agent's own variables.

Durations are written \`500ms\`, \`30s\`, \`15m\` or \`1h\`, and never without a unit, but for 0; sizes
\`512B\`, \`8KiB\`, \`64MiB\` or \`2GiB\`, or as plain bytes. \`journalMaxBytes\` must be at least
four times \`segmentMaxBytes\`, and \`quietAfter\`, if not 0, at least ten times \`drainInterval\`.
\`journalOnUninstall: delete\` needs \`onExit: whenUninstalled\`.

\`vcml-agent config print\` shows what is in effect and where each value came from,
\`vcml-agent config check\` all that is wrong.

${line(TITLES)}
${line(['', '', '', ''], '-')}
${rows.map((cells) => line(cells)).join('\n')}
`);
