/** The text below the list of commands. */
export const MAIN_HELP = `
vcml only reads; it needs no root and no server. Inputs may come from several
nodes, and may be compressed or still being written. Without an input, vcml reads
/var/lib/vcml-agent/journal. A line that cannot be read is skipped, and stderr
reports how many there are.

Objects in S3 are named s3://BUCKET/KEY, also with globs. Credentials, region and
endpoint come from where the AWS command line takes them: AWS_PROFILE, AWS_REGION,
AWS_ENDPOINT_URL_S3 and the like. A store in ClickHouse is named
clickhouse://USER@HOST:PORT/DATABASE.

Examples:
  vcml query --since 2h --pod shop/cart-7d9f-x2x
  vcml query --entry exec --output jsonl nodes/
  vcml query --kubernetes-user alice --audit-log audit.log nodes/
  vcml tree --trace 4bf92f3577b34da6a3ce929d0e0e4736 --since 1h nodes/
  vcml chain 4a7107b4 nodes/*/journal
  vcml chain 4a7107b4 --output sentences nodes/
  vcml serve nodes/
  vcml prove 4a7107b4 -o proof /var/lib/vcml-agent/journal --witness collector/
  vcml verify proof --witness collector/ --key node-7.key
  vcml query --exe /tmp/x 's3://archive/cluster/node-7/**'
  vcml query --sql "SELECT executable, count(*) FROM execs GROUP BY 1" nodes/

Exit codes:
   0  success; audit found nothing
   1  chain, tree or report found no such record; audit has findings; prove
      cannot prove it; a proof does not hold. query that finds nothing prints
      nothing, and ends with 0
   2  no input can be read, or there is none
   3  the answer is not from everything: a part of the inputs cannot be read,
      and stderr says what
  64  bad usage
  70  a bug
  73  the answer or a temporary file cannot be written
`;
