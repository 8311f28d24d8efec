import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { status } from '@grpc/grpc-js';
import { type Encoded, LogRecordEncoder } from '../../agent/export/encode/log-record-encoder.ts';
import type { ProtobufWriter } from '../../agent/export/encode/protobuf-writer.ts';
import { execLine, execLines, sameLines } from '../support/journal/lines.ts';
import { createExportBed } from '../support/otlp/export-bed.ts';
import { provesHistory } from '../support/otlp/history.ts';
import { until } from '../support/until.ts';

/** A tag of a wire type that protobuf does not have. */
const NO_TAG = 0x0f;

/** An encoder with a fault, for the lines that `isBad` names. */
class FaultyEncoder extends LogRecordEncoder {
  readonly #isBad: (line: string) => boolean;
  readonly #fault: (writer: ProtobufWriter) => void;

  constructor(isBad: (line: string) => boolean, fault: (writer: ProtobufWriter) => void) {
    super();
    this.#isBad = isBad;
    this.#fault = fault;
  }

  override encode(writer: ProtobufWriter, bytes: Buffer, from: number, to: number): Encoded {
    const encoded = super.encode(writer, bytes, from, to);
    if (this.#isBad(bytes.toString('utf8', from, to))) this.#fault(writer);
    return encoded;
  }
}

const damages = (writer: ProtobufWriter) => writer.varint(NO_TAG, 1);
const throwsUp = () => {
  throw new SyntaxError('a fault');
};
const hasLetters = (dir: string) => existsSync(join(dir, 'dead-letters.jsonl'));

test('a record that our encoder damages is exported with the stock encoding', async (t) => {
  const bed = await createExportBed(t);
  const collector = await bed.collect();
  const lines = execLines(0, 20);
  const encoder = new FaultyEncoder((line) => line === lines[6], damages);
  const { statistics } = bed.start(collector.port, { encoder });
  await bed.write(...lines);
  await until('all lines', () => statistics.exported === 20);
  provesHistory({ received: collector.lines, journal: lines });
  equal(statistics.deadLetters, 0);
  equal(hasLetters(bed.dir), false);
  deepEqual(bed.log.length, 1);
  match(bed.log[0] ?? '', /^error export\.encoder_fault .*"records":1,"code":"INTERNAL"/);
});

test('an encoder that damages every record costs no record, and at most two calls for each batch', async (t) => {
  const bed = await createExportBed(t);
  const collector = await bed.collect();
  const encoder = new FaultyEncoder(() => true, damages);
  const lines = execLines(0, 400);
  const { statistics } = bed.start(collector.port, { encoder, batchRecords: 4 });
  await bed.write(...lines);
  await until('all lines', () => collector.lines.length >= 400);
  sameLines(collector.lines, lines);
  equal(statistics.deadLetters, 0);
  // The first record is found by halves and three attempts.
  ok(collector.calls.length < 220, `${collector.calls.length} calls`);
});

test('a line that our encoder cannot read is exported with the stock encoding, in its place', async (t) => {
  const bed = await createExportBed(t);
  const collector = await bed.collect();
  const lines = execLines(0, 20, { resource: { 'host.name': 'a' } });
  const encoder = new FaultyEncoder((line) => line === lines[6], throwsUp);
  const { statistics } = bed.start(collector.port, { encoder });
  await bed.write(...lines);
  await until('all lines', () => collector.lines.length >= 20);
  sameLines(collector.lines, lines);
  equal(collector.calls.length, 1);
  deepEqual([...statistics.failures], []);
  equal(hasLetters(bed.dir), false);
  match(bed.log[0] ?? '', /^error export\.encoder_fault .*"records":1\}$/);
});

test('a record that is refused in both encodings is a dead letter with the first reason, after one second opinion', async (t) => {
  const bed = await createExportBed(t);
  const bad = execLine(3);
  let calls = 0;
  const collector = await bed.collect({
    answer(lines) {
      if (!lines.includes(bad)) return { kind: 'accept' };
      if (lines.length > 1) return { kind: 'fail', code: status.INVALID_ARGUMENT };
      calls += 1;
      return { kind: 'fail', code: status.INVALID_ARGUMENT, details: `reason ${calls}` };
    },
  });
  bed.start(collector.port);
  await bed.write(...execLines(0, 8));
  await until('the letter', () => hasLetters(bed.dir));
  await until('the others', () => collector.lines.length >= 7);
  equal(calls, 7);
  const sizes = collector.calls
    .filter(({ lines }) => lines.length === 1 && lines[0] === bad)
    .map(({ bytes }) => bytes);
  // The stock encoding writes lengths in as few bytes as possible.
  const [opinion = 0] = sizes.splice(-1);
  ok(sizes.every((bytes) => bytes > opinion));
  const { details } = JSON.parse(readFileSync(join(bed.dir, 'dead-letters.jsonl'), 'utf8'));
  equal(details, 'reason 1');
});

test('a second opinion waits for a collector that stops before it', async (t) => {
  const bed = await createExportBed(t);
  const line = execLine(0);
  let away = 2;
  const collector = await bed.collect({
    answer: () => (away-- > 0 ? { kind: 'fail', code: status.UNAVAILABLE } : { kind: 'accept' }),
  });
  const encoder = new FaultyEncoder((one) => one === line, damages);
  const { statistics } = bed.start(collector.port, { encoder });
  await bed.write(line);
  await until('the line', () => collector.lines.length === 1);
  // The last refusal is that of the faulty encoding, which is tried once more after the line.
  await until('the last refusal', () => statistics.failures.get('INTERNAL') === 4);
  equal(statistics.failures.get('UNAVAILABLE'), 2);
  equal(statistics.deadLetters, 0);
});
