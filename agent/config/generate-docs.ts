/** Prints docs/configuration.md; a test compares it with the file. */

import { OPTIONS } from './options.ts';

const TITLES = ['Option', 'Description', 'Values', 'Default'];

const rows = OPTIONS.map(({ key, description, values, default: text }) =>
  [`\`${key}\``, description, values, defaultCell(text)].map((cell) => cell.replaceAll('|', '\\|')),
);
// The formatter pads the cells of a table.
const widths = TITLES.map((_, column) =>
  Math.max(...[TITLES, ...rows].map((cells) => cells[column]?.length ?? 0)),
);
const line = (cells: readonly string[], fill = ' ') =>
  `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0, fill)).join(' | ')} |`;

process.stdout.write(`# Configuration

<!-- Generated from agent/config/schema.ts. -->

Set an option in one of three places. The option \`journalDir\`, for example, is:

- \`--journal-dir\` on the command line,
- \`VCML_AGENT_JOURNAL_DIR\` in the environment,
- \`journalDir\` in the YAML file that \`--config FILE\` or \`VCML_AGENT_CONFIG\` names.

A flag takes precedence over a variable, and a variable over the file. An empty variable counts as not
set. If a key is unknown or a value is invalid, the agent lists every problem and exits with code 78.

For some options of the export you can also use the variables of the OpenTelemetry specification
([export.md](export.md)). They take precedence over the file, but not over the agent's own variables.

Write durations as \`500ms\`, \`30s\`, \`15m\` or \`1h\`; only 0 needs no unit. Write sizes as \`512B\`,
\`8KiB\`, \`64MiB\` or \`2GiB\`, or as a number of bytes.

A name, a path or a label in the file counts as it stands there, with or without quotes:
\`nodeName: 007\` is 007, and \`clusterName: 1.10\` is 1.10.

Some values depend on each other:

- \`journalMaxBytes\` must be at least four times \`segmentMaxBytes\`.
- \`quietAfter\` must be 0, or at least ten times \`drainInterval\`.
- \`journalOnUninstall: delete\` needs \`onExit: whenUninstalled\`.

\`vcml-agent config print\` shows the configuration in effect and where each value came from.
\`vcml-agent config check\` lists every problem with which \`run\` would refuse it: in the options, and in the
files and variables that they refer to. Call it where the agent is to run.

${line(TITLES)}
${line(['', '', '', ''], '-')}
${rows.map((cells) => line(cells)).join('\n')}
`);

/** A default that depends on the machine is described in words. */
function defaultCell(text: string): string {
  return text.includes(' ') ? text : `\`${text}\``;
}
