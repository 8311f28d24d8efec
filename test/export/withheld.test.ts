import { deepEqual, equal, ok } from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { status } from '@grpc/grpc-js';
import { uuid5 } from '../check/uuid.ts';
import { BOOT_ID } from '../support/ids.ts';
import { execLine, journalLine, type LineOptions, sameLines } from '../support/journal/lines.ts';
import type { Answer } from '../support/otlp/collector.ts';
import { createExportBed, type ExportBed } from '../support/otlp/export-bed.ts';
import { provesHistory } from '../support/otlp/history.ts';
import { isWithheld, numberOf, toldIn } from '../support/otlp/withheld.ts';
import { until } from '../support/until.ts';

const RULES = { rules: ['deny executable=/quiet'] };
const quiet = { executable: '/quiet' };

/** The exec with number n of CPU 0. */
const line = (n: number, options: LineOptions = {}) => execLine(n, { cpu: 0, seq: n, ...options });
const lines = (from: number, to: number, options: LineOptions = {}) =>
  Array.from({ length: to - from }, (_, index) => line(from + index, options));

/** The record about ranges of CPU 0, by the format; `n` is the last exec. */
const told = (ranges: readonly string[], n: number, count: number, resource: string) =>
  `{"id":"${uuid5(BOOT_ID, `1:journal.withheld:0:${ranges.join(',')}`)}",` +
  `"timestamp":${/"timestamp":(\d+)/.exec(line(n))?.[1]},"actor":{},"action":"journal.withheld",` +
  '"permitted_by":"root_event:journal.withheld","parent_cause":null,' +
  `"resource":${resource},"attributes":{"vcml.boot.id":"${BOOT_ID}",` +
  `"vcml.boot_time":"${n}000000000","vcml.hook.id":"1","vcml.withheld.hook_id":"1",` +
  `"vcml.withheld.cpu":0,"vcml.withheld.ranges":${JSON.stringify(ranges)},` +
  `"vcml.withheld.count":${count}}}`;
const HOST = '{"host.name":"node-1","os.type":"linux"}';

const atEnd = (bed: ExportBed, running: { readonly position: { readonly offset: number } }) =>
  until('the journal’s end', () => running.position.offset === bed.journal.position.offset);

test('what rules keep back is reported with the batch, as ranges of numbers', async (t) => {
  const bed = await createExportBed(t);
  const collector = await bed.collect();
  const journal = [...lines(1, 4), ...lines(4, 7, quiet), line(7), line(8, quiet), line(9)];
  await bed.write(...journal);
  await atEnd(bed, bed.start(collector.port, RULES));
  sameLines(collector.lines, [...lines(1, 4), line(7), line(9), told(['4-6', '8-8'], 8, 4, HOST)]);
  provesHistory({ received: collector.lines, journal });
});

test('records that are kept back are reported although no other record follows', async (t) => {
  const bed = await createExportBed(t);
  const collector = await bed.collect();
  const running = bed.start(collector.port, RULES);
  const resource = {
    'host.name': 'node-1',
    'os.type': 'linux',
    'k8s.node.name': 'node-1',
    'container.id': 'c1',
    'k8s.namespace.name': 'shop',
    'k8s.pod.label.a': 'b',
    'service.name': 'cart',
    team: 'sre',
  };
  await bed.write(...lines(1, 3, { ...quiet, resource }));
  await atEnd(bed, running);
  const host = '{"host.name":"node-1","os.type":"linux","k8s.node.name":"node-1","team":"sre"}';
  sameLines(collector.lines, [told(['1-2'], 2, 2, host)]);
  equal(running.statistics.exported, 1);
});

test('each hook and CPU has its own record, and a record has at most 64 ranges', async (t) => {
  const bed = await createExportBed(t);
  const collector = await bed.collect();
  const journal = [
    ...Array.from({ length: 130 }, (_, n) => line(n + 1, n % 2 === 0 ? quiet : {})),
    ...Array.from({ length: 70 }, (_, n) =>
      execLine(200 + n, { ...quiet, cpu: n % 2, seq: 200 + (n >> 1), hook: n < 35 ? 1 : 2 }),
    ),
  ];
  bed.start(collector.port, { ...RULES, batchAgeMs: 60_000 });
  await bed.write(...journal);
  await bed.stop();
  provesHistory({ received: collector.lines, journal });
  const ranges = collector.lines
    .filter(isWithheld)
    .map((one) => JSON.parse(one).attributes)
    .map((one) => [
      one['vcml.withheld.hook_id'],
      one['vcml.withheld.cpu'],
      one['vcml.withheld.ranges'].length,
    ]);
  deepEqual(ranges, [
    ['1', 0, 64],
    ['1', 0, 2],
    ['1', 1, 1],
    ['2', 1, 1],
    ['2', 0, 1],
  ]);
});

test('without rules, and about records of the journal, nothing is reported', async (t) => {
  const bed = await createExportBed(t);
  const collector = await bed.collect();
  const journal = [...lines(1, 9, quiet), journalLine('journal.stop', 10, '')];
  await bed.write(...journal);
  await atEnd(bed, bed.start(collector.port));
  sameLines(collector.lines, journal);
});

test('an exec without a number is not kept back silently: it becomes a dead letter', async (t) => {
  const bed = await createExportBed(t);
  const collector = await bed.collect();
  const bad = line(1, quiet).replace('"vcml.seq":1,', '');
  await bed.write(bad, line(2));
  await atEnd(bed, bed.start(collector.port, RULES));
  sameLines(collector.lines, [line(2)]);
  deepEqual(lettersIn(bed), [bad]);
});

const lettersIn = ({ dir }: ExportBed): string[] =>
  readFileSync(join(dir, 'dead-letters.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((letter) => JSON.parse(letter).line);

test('the cursor does not pass records that are kept back before the collector knows of them', async (t) => {
  const bed = await createExportBed(t);
  let isDown = true;
  const down: Answer = { kind: 'fail', code: status.UNAVAILABLE };
  const collector = await bed.collect({ answer: () => (isDown ? down : { kind: 'accept' }) });
  const running = bed.start(collector.port, RULES);
  const journal = [...lines(1, 5, quiet), ...lines(5, 9), ...lines(9, 12, quiet)];
  await bed.write(...journal);
  await until('an attempt', () => collector.calls.length > 1);
  deepEqual(running.position, { segment: 1, offset: 0 });
  bed.abandon();
  await bed.reopen();
  isDown = false;
  await atEnd(bed, bed.start(collector.port, RULES));
  provesHistory({ received: collector.lines, journal });
});

test('after a kill before the cursor is saved, the same records are reported in other ranges', async (t) => {
  const bed = await createExportBed(t);
  const collector = await bed.collect();
  const running = bed.start(collector.port, RULES);
  const journal = [line(1), ...lines(2, 5, quiet), line(5), ...lines(6, 9, quiet)];
  await bed.write(...journal.slice(0, 3));
  await atEnd(bed, running);
  bed.abandon();
  const cursor = join(bed.dir, 'export-cursor.json');
  await until('the cursor', () => existsSync(cursor));
  writeFileSync(cursor, JSON.stringify({ segment: 1, offset: 0 }));
  await bed.reopen();
  await bed.write(...journal.slice(3));
  await atEnd(bed, bed.start(collector.port, RULES));
  provesHistory({ received: collector.lines, journal });
  const ranges = collector.lines
    .filter(isWithheld)
    .map((one) => JSON.parse(one).attributes['vcml.withheld.ranges']);
  deepEqual(ranges, [['2-3'], ['2-4', '6-8']]);
});

test('other rules in the next run can report what was exported, and export what was reported', async (t) => {
  const bed = await createExportBed(t);
  const collector = await bed.collect();
  const journal = [...lines(1, 5, quiet), ...lines(5, 9)];
  await bed.write(...journal);
  await atEnd(bed, bed.start(collector.port, RULES));
  await bed.stop();
  writeFileSync(join(bed.dir, 'export-cursor.json'), JSON.stringify({ segment: 1, offset: 0 }));
  await bed.reopen();
  await atEnd(bed, bed.start(collector.port, { rules: ['allow executable=/quiet', 'deny'] }));
  const { numbers, findings } = toldIn(collector.lines.filter(isWithheld));
  deepEqual(findings, []);
  const numbersOf = (all: readonly string[]) => new Set(all.map(numberOf));
  deepEqual(numbers, numbersOf(journal));
  deepEqual(numbersOf(collector.lines.filter((one) => !isWithheld(one))), numbersOf(journal));
});

test('a report that is refused for good becomes a dead letter, and the next one arrives', async (t) => {
  const bed = await createExportBed(t);
  const collector = await bed.collect({
    answer: (all) =>
      all.some((one) => one.includes('"4-6"'))
        ? { kind: 'fail', code: status.INVALID_ARGUMENT, details: 'I do not like it' }
        : { kind: 'accept' },
  });
  const running = bed.start(collector.port, RULES);
  await bed.write(...lines(1, 4), ...lines(4, 7, quiet), ...lines(7, 9));
  await until('the dead letter', () => running.statistics.deadLetters === 1);
  await bed.write(...lines(9, 11, quiet), line(11));
  await atEnd(bed, running);
  deepEqual(lettersIn(bed), [told(['4-6'], 6, 3, HOST)]);
  const [letter] = readFileSync(join(bed.dir, 'dead-letters.jsonl'), 'utf8').split('\n');
  const { segment, offset } = JSON.parse(letter ?? '');
  const before = lines(1, 4).reduce((sum, one) => sum + one.length + 1, 0);
  deepEqual({ segment, offset }, { segment: 1, offset: before });
  provesHistory({
    received: collector.lines,
    journal: [
      ...lines(1, 4),
      ...lines(4, 7, quiet),
      ...lines(7, 9),
      ...lines(9, 11, quiet),
      line(11),
    ],
    excused: lines(4, 7, quiet),
  });
});

test('a batch that is too large is split, and its reports arrive', async (t) => {
  const bed = await createExportBed(t);
  const collector = await bed.collect({
    answer: (all) =>
      all.length > 3 ? { kind: 'fail', code: status.RESOURCE_EXHAUSTED } : { kind: 'accept' },
  });
  const journal = Array.from({ length: 40 }, (_, n) =>
    execLine(n + 1, { cpu: n % 3, seq: Math.floor(n / 3) + 1, ...(n % 5 < 2 ? quiet : {}) }),
  );
  await bed.write(...journal);
  const running = bed.start(collector.port, RULES);
  await atEnd(bed, running);
  provesHistory({ received: collector.lines, journal });
  ok(running.statistics.splits > 0);
});
