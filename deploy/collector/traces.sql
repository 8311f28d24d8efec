-- The execs of a trace, each beside its span: those that carry the trace, and everything that they caused, also
-- what `sudo`, `env -i` or a daemon runs without it. An exec that does not carry the trace has the span of its
-- cause. `since` is a time before the trace, in UTC; records before it are not read.
--
--   clickhouse client --host clickhouse.example --user reader --queries-file traces.sql \
--     --param_trace=4bf92f3577b34da6a3ce929d0e0e4736 --param_since='2026-01-31 12:00:00'

WITH RECURSIVE
  {trace:String} AS asked,
  toUnixTimestamp64Nano(toDateTime64({since:String}, 9, 'UTC')) AS first,
  -- FINAL: a record may have arrived twice.
  execs AS (
    SELECT node, id, parent_cause, timestamp, namespace, pod, uid, args, trace_id, span_id
    FROM vcml.records FINAL
    WHERE intDiv(timestamp, 3600000000000) >= intDiv(first, 3600000000000)
      AND timestamp >= first AND action = 'exec'
  ),
  caused AS (
    SELECT execs.*, span_id AS span, 0 AS depth FROM execs WHERE trace_id = asked
    UNION ALL
    -- A link leads to a record of the same node.
    SELECT effect.*, cause.span, cause.depth + 1
    FROM execs AS effect
    INNER JOIN caused AS cause ON effect.node = cause.node AND effect.parent_cause = cause.id
    WHERE effect.trace_id IS DISTINCT FROM asked
  ),
  spans AS (
    SELECT SpanId, any(ServiceName) AS service, any(SpanName) AS name
    FROM vcml.otel_traces WHERE TraceId = asked GROUP BY SpanId
  )
SELECT
  spans.service AS service,
  spans.name AS span,
  fromUnixTimestamp64Nano(caused.timestamp, 'UTC') AS time,
  caused.node AS node,
  caused.namespace AS namespace,
  caused.pod AS pod,
  caused.uid AS uid,
  arrayStringConcat(caused.args, ' ') AS command,
  -- 0: the exec carries the trace itself
  caused.depth AS depth,
  caused.span AS span_id,
  toString(caused.id) AS id
FROM caused LEFT JOIN spans ON spans.SpanId = caused.span
ORDER BY time, id;
