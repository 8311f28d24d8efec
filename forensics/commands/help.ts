/** What stands below the list of commands. */
export const MAIN_HELP = `
Reads only, needs no root and no server. Inputs may be of several nodes, compressed
or still being written. What cannot be read is skipped, counted and told on stderr.

Examples:
  vcml query --since 2h --pod shop/cart-7d9f-x2x /var/lib/vcml-agent/journal
  vcml query --entry exec --output jsonl nodes/
  vcml chain 4a7107b4 nodes/*/journal
  vcml query --sql "SELECT executable, count(*) FROM execs GROUP BY 1" nodes/

Exit codes:
   0  answered; for audit: sound
   1  no such record; for audit: there are findings
   2  an input cannot be read, or there is none
  64  bad usage
  70  a bug
`;
