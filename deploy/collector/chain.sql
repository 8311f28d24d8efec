-- Selects the chain of one record, up to its root or gap: clickhouse client --param_id=... < chain.sql
-- FINAL is needed because a duplicate record would double everything above it.
WITH RECURSIVE chain AS (
    SELECT 0 AS Depth, Timestamp, Id, ParentCause, Object,
        LogAttributes['vcml.gap.reason'] AS GapReason
    FROM vcml.records FINAL
    WHERE Id = {id:String}
    UNION ALL
    SELECT chain.Depth + 1, cause.Timestamp, cause.Id, cause.ParentCause, cause.Object,
        cause.LogAttributes['vcml.gap.reason']
    FROM (
        SELECT Timestamp, Id, ParentCause, Object, LogAttributes FROM vcml.records FINAL
        WHERE Id IN (SELECT ParentCause FROM chain)
    ) AS cause
    JOIN chain ON cause.Id = chain.ParentCause
)
SELECT Depth, Timestamp, Id, ParentCause, Object, GapReason FROM chain ORDER BY Depth;
