/**
 * The queries of the dashboard, with the macros of Grafana's data source for ClickHouse. They read what is
 * merged and what is not alike, and run on one server as on shards.
 */

const FROM = 'toUnixTimestamp($__fromTime) * 1000000000';
const TO = 'toUnixTimestamp($__toTime) * 1000000000';
const TIME = `timestamp >= ${FROM} AND timestamp < ${TO}`;
const FROM_HOUR = "toStartOfHour(toTimeZone($__fromTime, 'UTC'))";
const BEFORE_END = 'hour < $__toTime';
const SILENCE_NS = '3600000000000';

const ON_NODE = chosen('node');
const IN_PLACE = [ON_NODE, chosen('namespace'), chosen('pod')].join(' AND ');

/** A table of the store. */
function store(name: string): string {
  return `\${database}.${name}`;
}

/** Holds for every row while a variable has all values. */
function chosen(name: string): string {
  return `$__conditionalAll(${name} IN (\${${name}:singlequote}), $${name})`;
}

/** The numbers that did not arrive; the hour of a hole is that of the number behind it. */
const MISSING = `SELECT node, hour,
      greatest(high - coalesce(lagInFrame(toNullable(high)) OVER w, low - 1) - arrived, 0) AS m,
      0 AS l, 0 AS h, 0 AS u
    FROM (
      SELECT node, boot_id, hook_id, cpu, hour, toInt64(groupBitmapMerge(seqs)) AS arrived,
        min(first) AS low, max(last) AS high
      FROM ${store('coverage')}
      WHERE hour >= ${FROM_HOUR} - INTERVAL 1 DAY AND ${BEFORE_END} AND ${ON_NODE}
      GROUP BY node, boot_id, hook_id, cpu, hour)
    WINDOW w AS (PARTITION BY node, boot_id, hook_id, cpu ORDER BY hour)`;

/** What agents reported about numbers, in the hour of the report. */
const REPORTED = `SELECT node, toStartOfHour(toDateTime(time, 'UTC')) AS hour, 0 AS m,
      if(action = 'journal.loss' AND loss_first_seq IS NOT NULL, coalesce(loss_count, 0), 0) AS l,
      if(action = 'journal.withheld', coalesce(withheld_count, 0), 0) AS h,
      if(action = 'journal.loss' AND loss_first_seq IS NULL, 1, 0) AS u
    FROM ${store('journal')} FINAL
    WHERE action IN ('journal.loss', 'journal.withheld')
      AND timestamp >= toUnixTimestamp(${FROM_HOUR}) * 1000000000 AND timestamp < ${TO} AND ${ON_NODE}`;

const BY_HOUR = `SELECT node, hour, sum(l) AS lost, sum(h) AS withheld, sum(u) AS unknown,
    greatest(sum(m) - sum(l) - sum(h), 0) AS unexplained
  FROM (
    ${MISSING}
    UNION ALL
    ${REPORTED})
  WHERE hour >= ${FROM_HOUR} GROUP BY node, hour`;

/** The last record of each node up to the end of the time. */
const SEEN = `SELECT node, max(latest) AS latest FROM (
    SELECT node, max(last_time) AS latest FROM ${store('coverage')}
    WHERE ${BEFORE_END} AND ${ON_NODE} GROUP BY node
    UNION ALL
    SELECT node, max(timestamp) AS latest FROM ${store('journal')}
    WHERE timestamp < ${TO} AND ${ON_NODE} GROUP BY node)
  GROUP BY node HAVING latest < ${TO} - ${SILENCE_NS}`;

/** The queries, by what they answer. */
export const SQL = {
  nodes: `SELECT uniqExact(node) AS nodes FROM ${store('coverage')}
WHERE hour >= ${FROM_HOUR} AND ${BEFORE_END} AND ${ON_NODE}`,

  silentCount: `SELECT count() AS silent FROM (
  ${SEEN})`,

  lost: `SELECT coalesce(sum(loss_count), 0) AS lost FROM ${store('journal')} FINAL
WHERE action = 'journal.loss' AND coalesce(loss_stage, '') != 'retention' AND ${TIME} AND ${ON_NODE}`,

  unexplained: `SELECT sum(unexplained) AS unexplained FROM (
  ${BY_HOUR})`,

  execs: `SELECT at, if(place <= 20, node, 'others') AS node, sum(execs) AS execs FROM (
  SELECT at, node, execs, dense_rank() OVER (ORDER BY total DESC, node) AS place FROM (
    SELECT at, node, execs, sum(execs) OVER (PARTITION BY node) AS total FROM (
      SELECT $__timeInterval(time) AS at, node, count() AS execs FROM ${store('records')} FINAL
      WHERE action = 'exec' AND ${TIME} AND ${IN_PLACE} GROUP BY at, node)))
GROUP BY at, node ORDER BY at, node`,

  gaps: `SELECT $__timeInterval(time) AS at, coalesce(gap_reason, 'unmarked') AS reason, count() AS gaps
FROM ${store('records')} FINAL
WHERE parent_cause IS NULL AND NOT startsWith(coalesce(permitted_by, ''), 'root_event')
  AND ${TIME} AND ${IN_PLACE}
GROUP BY at, reason ORDER BY at, reason`,

  holes: `SELECT hour, sum(unexplained) AS unexplained, sum(lost) AS lost, sum(unknown) AS "losses of unknown size",
  sum(withheld) AS "withheld by rules"
FROM (
  ${BY_HOUR})
GROUP BY hour ORDER BY hour`,

  completeness: `SELECT hour, node, state FROM (
  SELECT hour, node, state, dense_rank() OVER (ORDER BY worst DESC, node) AS place FROM (
    SELECT hour, node, state, max(state) OVER (PARTITION BY node) AS worst FROM (
      SELECT hour, node, multiIf(unexplained > 0, 2, lost + unknown > 0, 1, 0) AS state FROM (
  ${BY_HOUR}))))
WHERE place <= 50 ORDER BY hour, node`,

  silent: `SELECT node, fromUnixTimestamp64Nano(latest, 'UTC') AS last_record FROM (
  ${SEEN})
ORDER BY latest LIMIT 200`,

  programs: `SELECT coalesce(executable, object) AS program, count() AS execs, uniq(node) AS nodes,
  uniq(image) AS images, max(time) AS last_run
FROM ${store('records')} FINAL
WHERE action = 'exec' AND ${TIME} AND ${IN_PLACE}
GROUP BY program ORDER BY execs DESC, program LIMIT 50`,

  firstSeen: `SELECT executable, image, fromUnixTimestamp64Nano(min(first), 'UTC') AS first_run,
  uniqExact(node) AS nodes
FROM ${store('first_seen')} WHERE ${ON_NODE}
GROUP BY executable, image HAVING min(first) >= ${FROM} AND min(first) < ${TO}
ORDER BY first_run DESC, executable LIMIT 200`,

  journal: `SELECT fromUnixTimestamp64Nano(timestamp, 'UTC') AS at, node, action,
  coalesce(hook_state, loss_stage, '') AS details,
  coalesce(loss_count, withheld_count, journal_records) AS records, coalesce(agent_version, '') AS version
FROM ${store('journal')} FINAL WHERE ${TIME} AND ${ON_NODE}
ORDER BY timestamp DESC, node LIMIT 500`,
} as const;

/** Names that need no escaping in a query; a record can have any. */
const isPlain = (name: string) => `match(${name}, '^[A-Za-z0-9._-]+$')`;
/** Grafana replaces these in the query of a variable, too. */
const WHILE = `timestamp >= \${__from} * 1000000 AND timestamp < \${__to} * 1000000`;

/** The queries of variables, by the name of the variable. */
export const VALUES: Readonly<Record<string, string>> = {
  node: `SELECT DISTINCT node FROM ${store('coverage')} WHERE ${isPlain('node')} ORDER BY node`,
  namespace: `SELECT DISTINCT assumeNotNull(namespace) AS name FROM ${store('records')}
WHERE ${WHILE} AND ${isPlain("coalesce(namespace, '')")} ORDER BY name`,
  pod: `SELECT DISTINCT assumeNotNull(pod) AS name FROM ${store('records')}
WHERE ${WHILE} AND namespace IN (\${namespace:singlequote}) AND ${isPlain("coalesce(pod, '')")}
ORDER BY name LIMIT 5000`,
};
