import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { lines, sound } from '../../check/craft.ts';
import { Folder, remarksIn } from '../../support/forensics.ts';
import { VCML_BIN } from '../../support/paths.ts';

const folder = new Folder();
after(() => folder.close());

const journal = lines(Object.values(sound()))
  .map((line) => `${line}\n`)
  .join('');
/** what removes a line of a terminal */
const CLEARED = '\r\x1b[K';
/** blank lines, so that the stream is long and its records are few */
const BLANK = '\n'.repeat(1 << 20);

/** Runs a query over a pipe, into which it writes until the output has a text or is long enough. */
async function queryOf(
  name: string,
  command: (pipe: string) => string,
  text: string,
  most: number,
) {
  const pipe = join(folder.path, name);
  execFileSync('mkfifo', [pipe]);
  const child = spawn('sh', ['-c', command(pipe)], { stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = once(child, 'close');
  let seen = '';
  for (const output of [child.stdout, child.stderr])
    output.on('data', (bytes) => {
      seen += bytes;
    });
  const stream = createWriteStream(pipe);
  stream.write(journal);
  for (let n = 0; n < most && !seen.includes(text); n += 1) {
    stream.write(BLANK);
    await sleep(100);
  }
  stream.end();
  const [code] = await ended;
  return { code, seen };
}

const query = (pipe: string) => `${VCML_BIN} query --output jsonl ${pipe} >/dev/null`;

test('a terminal shows how much of a stream is copied, and nothing of it stays', async () => {
  const onTerminal = (pipe: string) => `script -qec '${query(pipe)}' /dev/null`;
  const { code, seen } = await queryOf('terminal', onTerminal, 'MiB are copied', 1000);
  assert.equal(code, 0, seen);
  assert.match(seen, /\d+ MiB are copied/);
  assert.ok(remarksIn(seen).endsWith(CLEARED), JSON.stringify(seen.slice(-90)));
});

test('without a terminal no progress is printed', async () => {
  const { code, seen } = await queryOf('plain', query, '\x1b', 25);
  assert.equal(code, 0, seen);
  assert.equal(remarksIn(seen), '');
});
