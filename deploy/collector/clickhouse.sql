-- Creates the table for clickhouse.yaml: the columns that the exporter fills, and those that chains use.
CREATE DATABASE IF NOT EXISTS vcml;

CREATE TABLE IF NOT EXISTS vcml.records (
    Timestamp DateTime64(9) CODEC(Delta, ZSTD),
    TraceId String,
    SpanId String,
    TraceFlags UInt8,
    SeverityText LowCardinality(String),
    SeverityNumber UInt8,
    ServiceName LowCardinality(String),
    Body String CODEC(ZSTD),
    ResourceSchemaUrl LowCardinality(String),
    ResourceAttributes Map(LowCardinality(String), String) CODEC(ZSTD),
    ScopeSchemaUrl LowCardinality(String),
    ScopeName LowCardinality(String),
    ScopeVersion LowCardinality(String),
    ScopeAttributes Map(LowCardinality(String), String),
    LogAttributes Map(LowCardinality(String), String) CODEC(ZSTD),
    -- An exporter that starts without the server does not see this column and omits it.
    EventName LowCardinality(String) DEFAULT if(
        LogAttributes['vcml.permitted_by'] LIKE 'root_event:%',
        'vcml.' || substring(LogAttributes['vcml.permitted_by'], length('root_event:') + 1),
        'vcml.exec'),
    Id String MATERIALIZED LogAttributes['log.record.uid'],
    ParentCause String MATERIALIZED LogAttributes['vcml.parent_cause'],
    Object String MATERIALIZED LogAttributes['vcml.object']
)
-- Delivery is at least once: a duplicate has the same Id, day and content.
ENGINE = ReplacingMergeTree
PARTITION BY toDate(Timestamp, 'UTC')
ORDER BY Id;
