import { equal } from 'node:assert/strict';
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
