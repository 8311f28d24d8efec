import { equal } from 'node:assert/strict';
import { randomBytes, randomInt, randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { ByteWriter } from '../../../record/line/byte-writer.ts';
import { uuidText } from '../../../record/uuid.ts';
import { uuidOf } from '../../support/ids.ts';

/** What is written between two other bytes, which must stay. */
function written(write: (writer: ByteWriter) => void): string {
  const bytes = Buffer.alloc(300, '#');
  const writer = new ByteWriter();
  writer.move(bytes, 1);
  write(writer);
  equal(bytes[0], 0x23);
  equal(bytes[writer.at], 0x23);
  return bytes.toString('latin1', 1, writer.at);
}

test('integers of every width are written in decimal', () => {
  for (let power = 1; power <= 1e15; power *= 10)
    for (const value of [power - 1, power, power + 1, 2 * power - 1, 9 * power])
      equal(
        written((writer) => writer.integer(value)),
        `${value}`,
      );
  for (const value of [2 ** 31 - 1, 2 ** 31, 2 ** 32, 2 ** 53 - 1, 2 ** 53])
    equal(
      written((writer) => writer.integer(value)),
      `${value}`,
    );
});

test('random integers are written in decimal', () => {
  for (let round = 0; round < 100_000; round++) {
    const value = Number(randomBytes(8).readBigUInt64LE() >> BigInt(randomInt(11, 64)));
    equal(
      written((writer) => writer.integer(value)),
      `${value}`,
    );
  }
});

test('the nanoseconds of a second are written with leading zeros', () => {
  const values = [0, 1, 999, 1000, 999_999, 1_000_000, 999_999_999];
  for (let round = 0; round < 10_000; round++) values.push(randomInt(1e9));
  for (const nanos of values) {
    const padded = `${nanos}`.padStart(9, '0');
    equal(
      written((writer) => writer.nineDigits(nanos)),
      padded,
    );
    equal(
      written((writer) => writer.nanoseconds({ seconds: 1_764_000_000, nanos })),
      `1764000000${padded}`,
    );
    equal(
      written((writer) => writer.nanoseconds({ seconds: 0, nanos })),
      `${nanos}`,
    );
  }
});

test('UUIDs are written in lower case', () => {
  const some = Array.from({ length: 1000 }, () => randomUUID());
  for (const text of ['00000000-0000-0000-0000-000000000000', ...some]) {
    const uuid = uuidOf(text);
    equal(
      written((writer) => writer.uuid(uuid)),
      text,
    );
    equal(uuidText(uuid), text);
  }
});

test('parts of every length are written one behind the other', () => {
  for (let length = 0; length < 100; length++) {
    const part = Buffer.from('x'.repeat(length));
    equal(
      written((writer) => {
        writer.bytes(part);
        writer.bytes(part);
      }),
      'x'.repeat(2 * length),
    );
  }
});
