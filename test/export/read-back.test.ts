import { deepEqual, equal } from 'node:assert/strict';
import { test } from 'node:test';
import { JournalReader } from '../../agent/export/read/journal-reader.ts';
import type { JournalLine } from '../../agent/export/read/position.ts';
import { RecentLines } from '../../agent/export/read/recent-lines.ts';

/** What a reader of the file has of a line of these bytes. */
function linesOf(texts: readonly Buffer[]): JournalLine[] {
  let offset = 0;
  return texts.map((bytes) => {
    offset += bytes.length + 1;
    return { line: bytes.toString(), segment: 1, offset };
  });
}

test('lines that are read back share one buffer, whatever their bytes, and end with a line feed', async () => {
  const texts = [
    Buffer.from('{"path":"/bin/ü"}'),
    Buffer.alloc(300, 0xff), // no UTF-8
    ...Array.from({ length: 20 }, (_, n) => Buffer.from('x'.repeat(n * 10))),
  ];
  const lines = linesOf(texts);
  const reader = new JournalReader(
    {
      recent: new RecentLines({ segment: 2, offset: 0 }, 1000),
      async *readLines() {
        yield* lines;
      },
      oldest: async () => undefined,
      onSkipped: () => {},
    },
    { segment: 1, offset: 0 },
  );
  const buffers = new Set<Buffer>();
  await reader.fill();
  for (const { line } of lines) {
    const { bytes, from, to } = reader.take(reader.nextBytes);
    equal(bytes.toString('utf8', from, to), line);
    equal(bytes[to], 0x0a);
    buffers.add(bytes);
  }
  equal(reader.nextBytes, 0);
  equal(buffers.size, 2); // one that was too small for the second line, and another one
});

test('lines that a failed write left behind the end of the journal are not read', async () => {
  const lines = linesOf(
    ['{"id":"one"}', '{"id":"two"}', '{"id":"torn"}'].map((one) => Buffer.from(one)),
  );
  const [, second, third] = lines;
  if (second === undefined || third === undefined) throw new Error('there are no lines');
  const recent = new RecentLines(second, 0);
  let closed = 0;
  const reader = new JournalReader(
    {
      recent,
      async *readLines({ offset }) {
        try {
          yield* lines.filter((line) => line.offset > offset);
        } finally {
          closed += 1;
        }
      },
      oldest: async () => undefined,
      onSkipped: () => {},
    },
    { segment: 1, offset: 0 },
  );
  const read = async () => {
    await reader.fill();
    const found: string[] = [];
    while (reader.nextBytes > 0) {
      const { bytes, from, to } = reader.take(reader.nextBytes);
      found.push(bytes.toString('utf8', from, to));
    }
    return found;
  };
  deepEqual(await read(), ['{"id":"one"}', '{"id":"two"}']);
  deepEqual([await read(), closed], [[], 1]);
  const other = Buffer.from('{"id":"torn"}\n');
  recent.push(other, other.length, third);
  deepEqual(await read(), ['{"id":"torn"}']);
});
