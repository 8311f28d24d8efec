/** What stands below the list of commands. */
export const MAIN_HELP = `
Examples (as root):
  vcml-agent run                             record, and show it on a terminal
  vcml-agent run --config /etc/vcml.yaml     record, with the options of a file
  vcml-agent status                          is it recording, and what was lost?
  vcml-agent cat --since 15m --print text    who ran what in the last 15 minutes
  vcml-agent tail | jq -r .object            what is executed, as it happens
  vcml-agent detach                          take the hook away; nothing is left

Each option is also a variable and a key of the --config file: --journal-dir is
VCML_AGENT_JOURNAL_DIR and journalDir. A flag goes before a variable, a variable
before the file. Durations are 500ms, 30s, 15m or 1h, sizes 8KiB, 64MiB or 2GiB.

Exit codes:
   0  an orderly end
  64  bad usage: an unknown command or flag
  69  this kernel or machine cannot do it; the message says what is missing
  70  a bug
  73  the journal cannot be written, or is not there to be read
  75  another agent holds the hook or the journal
  77  not permitted; the message names the capability or mount that is missing
  78  bad configuration; every problem is listed, or pins that do not fit
`;

/** What stands below the options of a command. */
export const COMMAND_HELP = {
  run: `
SIGTERM and SIGINT (Ctrl-C) end it: what the kernel has recorded until then is
written and synced, and the hook stays or goes as --on-exit says. What is kept
goes on recording; the next run carries on without a record missing.

Examples:
  vcml-agent run --journal-dir ./journal --on-exit detach    to try it
  vcml-agent run --print jsonl | jq -c .object               records for programs
`,
  detach: `
Refused while an agent runs (exit code 75, after --wait-for-hook), and where
records are unread and there is no journal to write them to.

Examples:
  vcml-agent detach                 to the last record, into the journal
  vcml-agent detach --discard       whatever is there
`,
  status: `
Looks at the journal's folder and the pins, and changes nothing. The exit code is
0 whatever it finds; for a program: --output json, with "running" and "pinned".
`,
  cat: `
Examples:
  vcml-agent cat --since 2h --print text
  vcml-agent cat --since 2026-01-31T12:00:00Z | grep '"vcml.gap.reason"'
`,
  tail: `
Ends on SIGINT, SIGTERM, or when nobody reads its output any more.

Example:
  vcml-agent tail --print text
`,
} as const;
