import { deepEqual, equal, ok } from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { closeSync, constants, mkdtempSync, openSync, readSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { Stdout } from '../../agent/print/stdout.ts';

const CHUNK_BYTES = 1 << 16;

/** A pipe: the end to read from does not block, the one to write to does. */
async function withPipe(use: (reader: number, writer: number) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'vcml-stdout-'));
  const fifo = join(folder, 'fifo');
  execFileSync('mkfifo', [fifo]);
  const reader = openSync(fifo, constants.O_RDONLY | constants.O_NONBLOCK);
  const writer = openSync(fifo, constants.O_WRONLY);
  try {
    await use(reader, writer);
  } finally {
    closeSync(writer);
    rmSync(folder, { recursive: true });
  }
}

function readAll(fd: number): string {
  const chunk = Buffer.alloc(CHUNK_BYTES);
  try {
    return chunk.toString('utf8', 0, readSync(fd, chunk));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return '';
    throw error;
  }
}

test('a slow reader blocks nothing and gets everything in order', async () => {
  await withPipe(async (reader, writer) => {
    const stdout = new Stdout(writer);
    let sent = '';
    for (let n = 0; n < 200_000; n++) {
      const line = `line ${n}\n`;
      sent += line;
      stdout.write(line);
    }
    // Comes back at once though the pipe holds only 64 KiB.
    await pause(20);
    ok(stdout.bytes > 0);
    const all = stdout.drained();
    let got = '';
    while (got.length < sent.length) {
      got += readAll(reader);
      await pause(1);
    }
    await all;
    deepEqual([got === sent, stdout.bytes, stdout.closed], [true, 0, false]);
    stdout.close();
    closeSync(reader);
  });
});

test('when the reader closes, output is dropped and nothing waits for it', async () => {
  await withPipe(async (reader, writer) => {
    const stdout = new Stdout(writer);
    closeSync(reader);
    stdout.write('a\n');
    await stdout.drained();
    deepEqual([stdout.closed, stdout.bytes], [true, 0]);
    stdout.write('b\n');
    equal(stdout.bytes, 0);
  });
});
