import { equal, match } from 'node:assert/strict';
import { appendFileSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { NO_CLICKHOUSE, startClickHouse } from '../../support/clickhouse/clickhouse.ts';
import { addressOf } from '../../support/clickhouse/stored.ts';
import { Folder, vcml } from '../../support/forensics.ts';
import { until } from '../../support/until.ts';
import { NO_COLLECTOR } from './collector.ts';
import { startPipeline } from './pipeline.ts';

const options = { skip: NO_COLLECTOR || NO_CLICKHOUSE };
const INPUTS = join(import.meta.dirname, '../../integration/forensics/cases/inputs');
const EXEC = 'debcc1d2-7c8e-5ad4-9f13-9951cda3215f';
const [EVENT = ''] = eventsOf('au-impersonated.log');

test('an audit log that a collector reads is found in its table', options, async (t) => {
  const server = await startClickHouse(t);
  const folder = new Folder();
  t.after(() => folder.close());
  const log = join(folder.path, 'audit.log');
  const settings = {
    AUDIT_LOG: join(folder.path, 'audit*.log'),
    QUEUE_DIR: join(folder.path, 'queue'),
    // The events are old.
    KEEP: '0s',
    CLICKHOUSE: `clickhouse://127.0.0.1:${server.place.native}`,
  };
  const rows = async (count: number) => {
    await until(`the table has ${count} rows`, async () => {
      const [found] = await server.query<{ rows: string }>(
        'SELECT toString(count()) AS rows FROM vcml.kubernetes_audit',
      );
      return Number(found?.rows) === count;
    });
  };
  const first = [EVENT, ...eventsOf('au-attach.log'), EVENT.slice(0, 300)];
  folder.journal('audit.log', first);
  const pipeline = await startPipeline(t, ['kubernetes-audit'], settings);
  await rows(first.length);
  // The API server rotates the log, and writes on while no collector is there.
  renameSync(log, join(folder.path, 'audit-2025-11-24T16-20-00.000.log'));
  const second = [...eventsOf('au-two-stages.log').map(withId('a2')), 'no JSON', EVENT];
  folder.journal('audit.log', second);
  await rows(first.length + second.length);
  await pipeline.stop('SIGKILL');
  const third = [withId('a3')(EVENT.replace('"alice"', '"carol"'))];
  appendFileSync(log, third.map((line) => `${line}\n`).join(''));
  await startPipeline(t, ['kubernetes-audit'], settings);
  const all = [...first, ...second, ...third];
  await rows(all.length);
  const [time] = await server.query<{ rows: string }>(
    `SELECT toString(count()) AS rows FROM vcml.kubernetes_audit WHERE startsWith(Body, '{"kind"')
       AND Timestamp = parseDateTime64BestEffortOrNull(JSONExtractString(Body, 'requestReceivedTimestamp'), 9)`,
  );
  equal(time?.rows, '6');
  const asked = ['chain', EXEC, join(INPUTS, 'au.jsonl'), '--audit-log'];
  const inFile = await vcml(...asked, folder.journal('all.log', all));
  const inTable = await vcml(...asked, addressOf(server));
  equal(inTable.stdout, inFile.stdout, inTable.stderr);
  const said = inTable.stdout.replaceAll(/\s+/g, ' ');
  for (const user of ['alice', 'carol']) match(said, new RegExp(`pods/exec by ${user} as bob`));
  const count = (said: string) => / (\d+ pods\/exec requests?) in /.exec(said)?.[1];
  equal(count(inTable.stderr), count(inFile.stderr), inTable.stderr);
});

const withId = (id: string) => (line: string) => line.replace('"a1"', `"${id}"`);

/** Returns the lines of a log. */
function eventsOf(name: string): string[] {
  return readFileSync(join(INPUTS, name), 'utf8').trimEnd().split('\n');
}
