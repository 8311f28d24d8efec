import { deepEqual, equal } from 'node:assert/strict';
import { test } from 'node:test';
import { JournalReader } from '../../agent/export/read/journal-reader.ts';
import type { JournalText } from '../../agent/export/read/position.ts';
import { RecentLines } from '../../agent/export/read/recent-lines.ts';

/** Lines as a reader of the file has them, so many at a time. */
function textsOf(lines: readonly Buffer[], atOnce: number): JournalText[] {
  let offset = 0;
  return lines.flatMap((_, n) => {
    if (n % atOnce !== 0) return [];
    const text = Buffer.concat(
      lines.slice(n, n + atOnce).flatMap((bytes) => [bytes, Buffer.from('\n')]),
    );
    offset += text.length;
    return [{ text, segment: 1, offset }];
  });
}

/** The same from a position on. */
function* textsFrom(texts: readonly JournalText[], from: number): Generator<JournalText> {
  for (const { text, segment, offset } of texts) {
    const skip = Math.max(0, from - (offset - text.length));
    if (skip < text.length) yield { text: text.subarray(skip), segment, offset };
  }
}

/** Takes all lines that are at hand after a fill(). */
async function taken(reader: JournalReader): Promise<Buffer[]> {
  await reader.fill();
  const found: Buffer[] = [];
  while (reader.nextBytes > 0) {
    const { bytes, from, to } = reader.take(reader.nextBytes);
    equal(bytes[to], 0x0a);
    found.push(bytes.subarray(from, to));
  }
  return found;
}

for (const atOnce of [1, 5, 100])
  test(`lines that are read back, ${atOnce} at a time, keep their bytes and positions`, async () => {
    const lines = [
      Buffer.from('{"path":"/bin/ü"}'),
      Buffer.alloc(300, 0xff), // no UTF-8
      ...Array.from({ length: 20 }, (_, n) => Buffer.from('x'.repeat(n * 10))),
    ];
    const reader = new JournalReader(
      {
        recent: new RecentLines({ segment: 2, offset: 0 }, 1000),
        async *readText() {
          yield* textsOf(lines, atOnce);
        },
        oldest: async () => undefined,
        onSkipped: () => {},
      },
      { segment: 1, offset: 0 },
    );
    const found: Buffer[] = [];
    for (let some = await taken(reader); some.length > 0; some = await taken(reader)) {
      found.push(...some);
      const offset = found.reduce((sum, { length }) => sum + length + 1, 0);
      deepEqual(reader.position, { segment: 1, offset });
    }
    deepEqual(found, lines);
    equal(reader.nextBytes, 0);
  });

for (const atOnce of [1, 2, 3])
  test(`lines that a failed write left behind the end of the journal are not read, ${atOnce} at a time`, async () => {
    const lines = ['{"id":"one"}', '{"id":"two"}', '{"id":"torn"}'].map((one) => Buffer.from(one));
    const [, second, third] = textsOf(lines, 1);
    if (second === undefined || third === undefined) throw new Error('there are no lines');
    const recent = new RecentLines(second, 0);
    let closed = 0;
    const reader = new JournalReader(
      {
        recent,
        async *readText({ offset }) {
          try {
            yield* textsFrom(textsOf(lines, atOnce), offset);
          } finally {
            closed += 1;
          }
        },
        oldest: async () => undefined,
        onSkipped: () => {},
      },
      { segment: 1, offset: 0 },
    );
    const read = async () => (await taken(reader)).map(String);
    const found: string[] = [];
    for (let some = await read(); some.length > 0; some = await read()) found.push(...some);
    deepEqual([found, closed], [['{"id":"one"}', '{"id":"two"}'], 1]);
    const other = Buffer.from('{"id":"torn"}\n');
    recent.push(other, other.length, third);
    deepEqual(await read(), ['{"id":"torn"}']);
  });
