import assert from 'node:assert/strict';
import { mkdirSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { judge } from '../../check/check.ts';
import { decodeEscapes } from '../../check/escapes.ts';
import { type Agent, program, runProgram, startAgent } from '../../support/agent.ts';
import type { JournalLine } from '../../support/journal/followed-journal.ts';

let agent: Agent;
let dir: string;

before(async () => {
  agent = await startAgent();
  dir = join(realpathSync(agent.directory), 'files');
  mkdirSync(dir);
});
after(() => agent?.close());

/** Runs a case of hostile.c; returns the record whose first argument this is. */
async function record(name: string, args: readonly string[], marker: string) {
  await runProgram('hostile', name, ...args);
  return agent.journal.waitFor(marker, (records) =>
    records.find((line) => argsOf(line)[1] === marker),
  );
}

function argsOf({ attributes }: JournalLine): readonly string[] {
  return (attributes['process.command_args'] as string[] | undefined) ?? [];
}

function bytesOf(escaped: unknown): Buffer | undefined {
  return decodeEscapes(String(escaped));
}

test('every byte that a name or an argument can have is recorded reversibly', async () => {
  const line = await record('all-bytes', [dir, 'case:all-bytes'], 'case:all-bytes');
  const bytes = Array.from({ length: 255 }, (_, i) => i + 1);
  const name = Buffer.from(bytes.filter((byte) => byte !== 0x2f));
  assert.deepEqual(bytesOf(line.object), Buffer.concat([Buffer.from(`${dir}/`), name]));
  assert.deepEqual(bytesOf(line.actor.comm), name.subarray(0, 15));
  assert.deepEqual(bytesOf(argsOf(line)[2]), Buffer.from(bytes));
  assert.equal(line.attributes['process.executable.path'], realpathSync(program('noop')));
});

test('characters stay unescaped, and invalid UTF-8 is escaped', async () => {
  const line = await record('unicode', [dir, 'case:unicode'], 'case:unicode');
  assert.ok(line.object.endsWith('/\u{1f600}\u{1f600}\u{1f600}\u{1f600}'));
  assert.equal(line.actor.comm, '\u{1f600}\u{1f600}\u{1f600}\\xf0\\x9f\\x98');
  assert.deepEqual(argsOf(line).slice(2), [
    '\u2028\u2029\u0085\u00e9\u{1f600}\ufeff',
    '\\xed\\xa0\\x80 \\xf4\\x90\\x80\\x80 \\xc0\\xaf \\xe2\\x82',
    '\\\\x41\\\\\\\\ "\n',
  ]);
});

test('a mebibyte of arguments is truncated, with its true size and count', async () => {
  const line = await record('mebibyte', ['case:mebibyte'], 'case:mebibyte');
  assert.equal(line.attributes['vcml.process.args_truncated'], true);
  assert.equal(line.attributes['process.args_count'], 10);
  const fixed = 'noop\0case:mebibyte\0'.length;
  assert.equal(line.attributes['vcml.process.args_size'], fixed + 8 * 128 * 1024);
  assert.match(String(argsOf(line)[2]), /^a+$/);
});

test('sixty thousand arguments are counted', async () => {
  const line = await record('many', ['case:many'], 'case:many');
  assert.equal(line.attributes['process.args_count'], 60_000);
  assert.equal(line.attributes['vcml.process.args_truncated'], true);
  const fixed = 'noop\0case:many\0'.length;
  assert.equal(line.attributes['vcml.process.args_size'], fixed + 59_998 * 2);
  assert.deepEqual(argsOf(line).slice(2, 5), ['m', 'm', 'm']);
});

test('arguments on pages that were not in memory are recorded', async () => {
  const file = join(dir, 'arguments');
  const line = await record('absent', [file, 'case:absent'], 'case:absent');
  const expected = Array.from({ length: 12 }, (_, i) => `absent-${i}`);
  assert.deepEqual(argsOf(line), ['noop', 'case:absent', ...expected]);
});

test('empty arguments are recorded', async () => {
  const line = await record('empty', ['case:empty'], 'case:empty');
  assert.deepEqual(argsOf(line), ['noop', 'case:empty', '', 'x', '']);
  assert.equal(line.attributes['process.args_count'], 5);
});

test('an exec without any argument is recorded', async () => {
  await runProgram('hostile', 'none', dir, 'case-none');
  const line = await agent.journal.waitFor('case-none', (records) =>
    records.find(({ object }) => object === join(dir, 'case-none')),
  );
  // newer kernels put an empty one in its place
  assert.ok(Number(line.attributes['process.args_count']) <= 1);
  assert.equal(line.actor.comm, 'case-none');
});

test('the journal of all this has no findings', async () => {
  await agent.stop();
  agent.records();
  assert.deepEqual(judge(agent.journal.lines).findings, []);
});
