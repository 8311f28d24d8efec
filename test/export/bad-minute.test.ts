import { deepEqual, equal, ok } from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { status } from '@grpc/grpc-js';
import { execLine, execLines } from '../support/journal/lines.ts';
import type { Answer, Call, Collector } from '../support/otlp/collector.ts';
import { createExportBed, type ExportBed } from '../support/otlp/export-bed.ts';
import { provesHistory } from '../support/otlp/history.ts';
import { REFUSAL_CODES } from '../support/otlp/refusal-codes.ts';
import { until } from '../support/until.ts';

type Code = (typeof REFUSAL_CODES)[number];

const refusal = (code: Code): Answer => ({ kind: 'fail', code: status[code] });
const ACCEPTED: Answer = { kind: 'accept' };

/** The lines of all dead letters; one that is being written does not count yet. */
function lettersIn({ dir }: ExportBed): string[] {
  const file = join(dir, 'dead-letters.jsonl');
  if (!existsSync(file)) return [];
  return readFileSync(file, 'utf8')
    .split('\n')
    .slice(0, -1)
    .map((letter) => JSON.parse(letter).line);
}

/** Waits for this many more refusals. */
async function refusals(collector: Collector, count: number): Promise<void> {
  const wanted = collector.calls.length + count;
  await until('refusals', () => collector.calls.length >= wanted);
}

// They wait most of the time.
describe('a receiver that refuses records for a while', { concurrency: true }, () => {
  for (const code of REFUSAL_CODES)
    for (const when of ['at the start', 'later'] as const)
      test(`${code} for every record ${when} sets none aside: all arrive in order once it is over`, async (t) => {
        const bed = await createExportBed(t);
        let isBad = when === 'at the start';
        const collector = await bed.collect({ answer: () => (isBad ? refusal(code) : ACCEPTED) });
        const { statistics } = bed.start(collector.port, { batchRecords: 4 });
        await bed.write(...execLines(0, 10));
        if (!isBad) await until('the first lines', () => statistics.exported === 10);
        isBad = true;
        await bed.write(...execLines(10, 20));
        await refusals(collector, 6);
        await bed.write(...execLines(20, 30));
        await refusals(collector, 6);
        isBad = false;
        await until('all lines', () => statistics.exported === 30);
        provesHistory({ received: collector.lines, journal: execLines(0, 30) });
        // One may have shown that the collector accepts records again.
        ok(collector.lines.length <= 31, `${collector.lines.length} lines`);
        deepEqual(lettersIn(bed), []);
        equal(statistics.deadLetters, 0);
        const codes = bed.log.filter((line) => line.includes('export.collector_unavailable'));
        equal(codes.length, 1, 'the outage is logged once');
      });

  for (const [title, changes] of [
    ['do not hold up an export that has just started', {}],
    ['hold up no export whose batches have one record', { batchRecords: 1 }],
  ] as const)
    test(`records in a row that are refused for good ${title}`, async (t) => {
      const bed = await createExportBed(t);
      const refused = new Set(execLines(0, 2));
      const collector = await bed.collect({
        answer: (lines) =>
          lines.some((line) => refused.has(line)) ? refusal('INVALID_ARGUMENT') : ACCEPTED,
      });
      await bed.write(...execLines(0, 3));
      bed.start(collector.port, changes);
      await until('the dead letters', () => lettersIn(bed).length === 2);
      deepEqual(lettersIn(bed), execLines(0, 2));
    });

  test('more records in a row that are refused for good than are read ahead hold up no export', async (t) => {
    const bed = await createExportBed(t);
    const bad = execLines(0, 34);
    const refused = new Set(bad);
    const collector = await bed.collect({
      answer: (lines) =>
        lines.some((line) => refused.has(line)) ? refusal('INVALID_ARGUMENT') : ACCEPTED,
    });
    await bed.write(...bad);
    const { statistics } = bed.start(collector.port, { batchRecords: 1 });
    // A node records all the time: about one exec for each record that is set aside.
    let good = bad.length;
    for (let n = 0; n < 34; n++) {
      await bed.write(execLine(good++));
      await until(`dead letter ${n}`, () => statistics.deadLetters > n);
    }
    await until('the others', () => statistics.exported === good - bad.length);
    deepEqual(lettersIn(bed), bad);
    deepEqual(
      bed.log.filter((line) => line.includes('every_record_refused')).length,
      1,
      'it is logged before another record is accepted, and not again',
    );
  });

  test('records in a row that are refused for good hold up no others, if the newest is refused as well', async (t) => {
    const bed = await createExportBed(t);
    const lines = execLines(0, 60);
    const isGood = (line: string) => [0, 15, 35, 55].includes(lines.indexOf(line));
    const collector = await bed.collect({
      answer: (sent) => (sent.every(isGood) ? ACCEPTED : refusal('INVALID_ARGUMENT')),
    });
    await bed.write(...lines);
    const { statistics } = bed.start(collector.port);
    await until('the dead letters', () => statistics.deadLetters === 56);
    equal(statistics.exported, 4);
    const pauses = bed.log.filter((line) => line.includes('every_record_refused'));
    deepEqual(pauses, [], 'no pause of half a minute');
  });

  test('a collector that accepts no record but those that it knows makes the export pause', async (t) => {
    const bed = await createExportBed(t);
    const known = execLines(0, 1);
    const collector = await bed.collect({
      answer: (lines) =>
        lines.every((line) => known.includes(line)) ? ACCEPTED : refusal('UNKNOWN'),
    });
    const { statistics } = bed.start(collector.port);
    await bed.write(...known);
    await until('the first', () => statistics.exported === 1);
    await bed.write(...execLines(1, 30));
    await until('the log line', () =>
      bed.log.some((line) => line.includes('every_record_refused')),
    );
    await bed.write(execLine(30));
    await sleep(1000);
    equal(statistics.deadLetters, 10);
  });

  test('an export that ends while every record is refused leaves them for the next run', async (t) => {
    const bed = await createExportBed(t);
    let isBad = true;
    const collector = await bed.collect({ answer: () => (isBad ? refusal('INTERNAL') : ACCEPTED) });
    for (let run = 0; run < 3; run++) {
      bed.start(collector.port);
      await bed.write(...execLines(run * 5, run * 5 + 5));
      await refusals(collector, 10);
      await bed.stop();
    }
    isBad = false;
    bed.start(collector.port);
    await until('all lines', () => collector.lines.length >= 15);
    provesHistory({ received: collector.lines, journal: execLines(0, 15) });
    deepEqual(lettersIn(bed), []);
  });

  for (const code of REFUSAL_CODES)
    for (const bad of code === 'INTERNAL' ? [0, 6, 19] : [6])
      test(`${code} for record ${bad} of 20 sets it aside after another one was accepted meanwhile`, async (t) => {
        const bed = await createExportBed(t);
        const line = execLine(bad);
        const isOf = ({ lines }: Pick<Call, 'lines'>) => lines.includes(line);
        const collector = await bed.collect({
          answer: (lines) => (isOf({ lines }) ? refusal(code) : ACCEPTED),
        });
        const { statistics } = bed.start(collector.port);
        await bed.write(...execLines(0, 20));
        await until('all', () => statistics.exported + statistics.deadLetters === 20);
        deepEqual(lettersIn(bed), [line]);
        provesHistory({ received: collector.lines, journal: execLines(0, 20), excused: [line] });
        const { calls } = collector;
        const alone = calls.findIndex((call) => isOf(call) && call.lines.length === 1);
        const between = calls.slice(alone, calls.findLastIndex(isOf));
        ok(between.some((call) => !isOf(call)));
      });

  test('the only record is not set aside before there is another one to compare it with', async (t) => {
    const bed = await createExportBed(t);
    const collector = await bed.collect({
      answer: (lines) => (lines.includes(execLine(0)) ? refusal('INTERNAL') : ACCEPTED),
    });
    const { statistics } = bed.start(collector.port);
    await bed.write(execLine(0));
    await refusals(collector, 8);
    deepEqual(lettersIn(bed), []);
    await bed.write(execLine(1));
    await until('both', () => statistics.exported + statistics.deadLetters === 2);
    deepEqual(lettersIn(bed), [execLine(0)]);
  });

  test('a record that was accepted before, and no longer is, does not hold up the others for ever', async (t) => {
    const bed = await createExportBed(t);
    let isOld = false;
    const collector = await bed.collect({
      answer: (lines) =>
        lines.includes(execLine(1)) || (isOld && lines.includes(execLine(0)))
          ? refusal('INVALID_ARGUMENT')
          : ACCEPTED,
    });
    const { statistics } = bed.start(collector.port);
    await bed.write(execLine(0));
    await until('the first', () => statistics.exported === 1);
    isOld = true;
    await bed.write(...execLines(1, 4));
    await until('the others', () => statistics.exported === 3);
    deepEqual(lettersIn(bed), [execLine(1)]);
  });

  for (const code of REFUSAL_CODES)
    for (const [what, isRefused] of [
      ['every second call', (call: number) => call % 2 === 0],
      ['two of three calls', (call: number) => call % 3 !== 0],
      ['every second run of five calls', (call: number) => call % 10 < 5],
    ] as const)
      test(`${code} for ${what} sets nothing aside`, async (t) => {
        const bed = await createExportBed(t);
        const collector = await bed.collect({
          answer: (_, call) => (isRefused(call) ? refusal(code) : ACCEPTED),
        });
        const { statistics } = bed.start(collector.port, { batchRecords: 3 });
        for (let n = 0; n < 10; n++) {
          await bed.write(...execLines(n * 4, n * 4 + 4));
          await sleep(5);
        }
        await until('all lines', () => statistics.exported === 40);
        provesHistory({ received: collector.lines, journal: execLines(0, 40) });
        equal(statistics.deadLetters, 0);
      });
});
