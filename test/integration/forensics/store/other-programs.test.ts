import { deepEqual } from 'node:assert/strict';
import { test } from 'node:test';
import { NO_CLICKHOUSE } from '../../../support/clickhouse/clickhouse.ts';
import { startStore } from '../../../support/clickhouse/stored.ts';

const options = { skip: NO_CLICKHOUSE };

test(
  'log records of other programs are no records, and no sign of life of a node',
  options,
  async (t) => {
    const store = await startStore(t);
    await store.query(
      `INSERT INTO vcml.otel (Timestamp, ResourceAttributes, LogAttributes)
     VALUES (now64(9), map('host.name', 'web-9'), map('log.record.uid', 'x')), (now64(9), map('host.name', 'web-9'), map())`,
    );
    for (const table of ['records', 'journal', 'coverage', 'first_seen'])
      deepEqual(await store.query(`SELECT count() AS n FROM vcml.${table}`), [{ n: 0 }], table);
  },
);
