import { KEYS } from '../../record/fields.ts';
import { EXIT_MEANINGS } from '../errors.ts';

const EXIT_CODES = Object.entries(EXIT_MEANINGS)
  .map(([code, meaning]) => `${code.padStart(4)}  ${meaning}\n`)
  .join('');

/** The text below the list of commands. */
export const MAIN_HELP = `
Examples (as root):
  vcml-agent run                             record, and print on a terminal
  vcml-agent run --config /etc/vcml.yaml     record, with options from a file
  vcml-agent status                          show whether the kernel records
  vcml-agent cat --since 15m --print text    who ran what in the last 15 minutes
  vcml-agent tail | jq -r .object            print each command as it runs
  vcml-agent detach                          remove the hook and all its pins

Each option is a flag, an environment variable and a key of the --config file:
--journal-dir, VCML_AGENT_JOURNAL_DIR and journalDir. A flag takes precedence
over a variable, and a variable over the file. Write durations as 500ms, 30s,
15m or 1h, and sizes as 8KiB, 64MiB or 2GiB.

Exit codes:
${EXIT_CODES}`;

/** The text below the options of a command. */
export const COMMAND_HELP = {
  run: `
SIGTERM and SIGINT (Ctrl-C) stop the agent. It writes and syncs the remaining
records, then keeps or detaches the hook, as --on-exit says. A hook that is kept
continues to record, and the next run resumes it without losing a record.

Examples:
  vcml-agent run --journal-dir ./journal --on-exit detach    try it
  vcml-agent run --print jsonl | jq -c .object              print for programs
`,
  detach: `
The command writes records with the options of the last run, which the journal's
folder has. Options that are given here take precedence. It fails with exit code
75 if an agent runs and --wait-for-hook passes, and with 78 if the options of the
run are not known, or if records are unread and there is no journal.

Examples:
  vcml-agent detach                 write unread records to the journal first
  vcml-agent detach --discard       discard unread records
`,
  status: `
The command reads the journal's folder and the pins, and changes nothing. Its
exit code is 0 whatever it finds. For programs, use --output json and read
"running" and "pinned".

--check prints a line for each thing that the agent needs on this node, with what
to do if something is wrong. It takes the other options from the variables and the
file of run, asks the API server or the kubelet for this node's pods, and sends the
collector a request without records. Its exit code is 1 if a check fails.

Example:
  kubectl exec POD -- vcml-agent status --check
`,
  cat: `
A segment that cannot be read is named on stderr. The command prints the others,
and its exit code is 73 then. Execs that an agent found unread when it started
belong to that start: --since prints them with it, though they are earlier.

Examples:
  vcml-agent cat --since 2h --print text
  vcml-agent cat --pod shop/cart-7d9f-x2x --print text
  vcml-agent cat --since 2026-01-31T12:00:00Z | grep '"${KEYS.gapReason}"'
`,
  configCheck: `
The command reads the same variables and files as run, so call it where the agent
is to run. Its exit code is 78 if run would end with 78 because of them, and 0
otherwise, also after a warning. Without problems and warnings it prints nothing.

Example:
  kubectl exec POD -- vcml-agent config check
`,
  tail: `
The command runs until SIGINT or SIGTERM, or until its output is closed.

Example:
  vcml-agent tail --print text
`,
} as const;
