import { deepEqual, equal, match } from 'node:assert/strict';
import { test } from 'node:test';
import { expose } from '../../agent/telemetry/exposition.ts';
import { counter, gauge, prometheusName } from '../../agent/telemetry/metric.ts';
import { METRICS } from '../../agent/telemetry/metrics.ts';
import { samplesOf } from '../support/scrape.ts';

test('names follow OpenTelemetry’s rules for Prometheus', () => {
  const of = (make: typeof counter, name: string, unit: string) =>
    prometheusName(make([name, unit, 'x'], () => 0));
  equal(of(counter, 'vcml.records', '{record}'), 'vcml_records_total');
  equal(of(counter, 'process.cpu.time', 's'), 'process_cpu_time_seconds_total');
  equal(of(counter, 'vcml.journal.written', 'By'), 'vcml_journal_written_bytes_total');
  equal(of(gauge, 'vcml.ring.usage', 'By'), 'vcml_ring_usage_bytes');
  equal(of(gauge, 'vcml.table.usage', '{process}'), 'vcml_table_usage');
});

test('each metric has a unique name, a known unit and a sentence', () => {
  equal(new Set(METRICS.map(prometheusName)).size, METRICS.length);
  for (const { name, unit, description } of METRICS) {
    match(name, /^(vcml|process)(\.[a-z_]+)+$/);
    match(unit, /^(s|By|\{[a-z]+\})$/, name);
    match(description, /^[A-Z].*[^.]\.$/, name);
  }
});

test('before the recording begins, only the metrics of the process exist', async () => {
  const samples = samplesOf(await expose({ version: '1.2.3' }));
  equal(samples.get('vcml_agent_info{service_version="1.2.3"}'), 1);
  const names = new Set([...samples.keys()].map((name) => name.replace(/\{.*/, '')));
  deepEqual([...names].sort(), [
    'process_cpu_time_seconds_total',
    'process_memory_usage_bytes',
    'process_uptime_seconds',
    'vcml_agent_info',
  ]);
});

test('any text of an export rule is a valid label', async () => {
  const counts = {
    exported: 5,
    rejected: 0,
    deadLetters: 1,
    deadLetterFailures: 0,
    splits: 0,
    skips: 0,
  };
  const rule = 'deny executable="/a\\b"\nallow';
  const text = await expose({
    version: '1',
    export: {
      ...counts,
      keptBack: { [rule]: 3 },
      failures: { UNAVAILABLE: 2 },
      lagSeconds: 1.5,
      lagRecords: undefined,
      succeededAt: undefined,
    },
  });
  const label = 'vcml_export_rule="deny executable=\\"/a\\\\b\\"\\nallow"';
  const samples = samplesOf(text);
  equal(samples.get(`vcml_export_kept_back_total{${label}}`), 3);
  equal(samples.get('vcml_export_failures_total{rpc_response_status_code="UNAVAILABLE"}'), 2);
  equal(samples.get('vcml_export_lag_time_seconds'), 1.5);
  equal(samples.has('vcml_export_lag_records'), false);
});
