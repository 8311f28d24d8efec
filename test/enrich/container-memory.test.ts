import { deepEqual, equal } from 'node:assert/strict';
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import {
  type ContainerMemory,
  type KnownFacts,
  openContainerMemory,
} from '../../agent/enrich/container-memory.ts';
import { A, B, containerOf, podOf, stateOf, UID } from './craft.ts';

const root = mkdtempSync(join(tmpdir(), 'vcml-memory-'));
after(() => rmSync(root, { recursive: true }));
let files = 0;

function fileOf(): string {
  return join(root, `${files++}.jsonl`);
}

/** As each run of an agent opens it. */
function open(file: string, { configuration = 'apiserver', problems = [] as string[] } = {}) {
  const onProblem = ({ message }: Error) => problems.push(message);
  return openContainerMemory({ file, configuration, onProblem });
}

/** Keeps facts, and waits until they are in the file. */
async function keep(memory: ContainerMemory, key: string, facts: KnownFacts): Promise<void> {
  memory.keep(key, facts);
  await memory.saving;
}

const POD = podOf(UID, 'cart-1', [
  containerOf({ id: A, imageId: 'sha256:1', restartCount: 2, lastId: B }),
]);
const FACTS: KnownFacts = { state: stateOf(), pod: POD };

test('the next run knows what this run last knew about a container', async () => {
  const file = fileOf();
  const memory = open(file);
  equal(memory.recall('a'), undefined);
  await keep(memory, 'a', { state: stateOf(), pod: undefined });
  await keep(memory, 'a', FACTS);
  deepEqual(memory.recall('a'), FACTS);
  deepEqual(open(file).recall('a'), FACTS);
  equal(statSync(file).mode & 0o777, 0o600);
});

test('known facts are not written again', async () => {
  const file = fileOf();
  await keep(open(file), 'a', FACTS);
  const written = readFileSync(file, 'utf8');
  await keep(open(file), 'a', FACTS);
  equal(readFileSync(file, 'utf8'), written);
});

test('facts of another configuration are forgotten', async () => {
  const file = fileOf();
  await keep(open(file), 'a', FACTS);
  const other = open(file, { configuration: 'apiserver, label team' });
  equal(other.recall('a'), undefined);
  await keep(other, 'b', FACTS);
  equal(open(file).recall('a'), undefined);
});

test('a truncated or invalid line is skipped', async () => {
  const file = fileOf();
  await keep(open(file), 'a', FACTS);
  for (const line of ['{', '[]', '{"key":1}', '{"key":"a","facts":{"pod":{}}}', '{"key":"a"'])
    appendFileSync(file, `${line}\n`);
  deepEqual(open(file).recall('a'), FACTS);
});

test('the file holds a bounded number of containers and lines', async () => {
  const file = fileOf();
  const memory = open(file);
  for (let n = 0; n < 10_000; n++) await keep(memory, `${n}`, FACTS);
  equal(memory.recall('5903'), undefined);
  deepEqual(memory.recall('5904'), FACTS);
  const lines = readFileSync(file, 'utf8').split('\n').length;
  equal(lines <= 2 + 2 * 4096, true, `${lines} lines`);
  deepEqual(open(file).recall('9999'), FACTS);
  equal(open(file).recall('5903'), undefined);
});

test('facts that come while the disk is busy are in the file once they are saved', async () => {
  const file = fileOf();
  const memory = open(file);
  for (let n = 0; n < 10_000; n++) memory.keep(`${n}`, FACTS);
  await memory.saving;
  equal(memory.saving, undefined);
  const next = open(file);
  deepEqual(
    [next.recall('5903'), next.recall('5904'), next.recall('9999')],
    [undefined, FACTS, FACTS],
  );
});

test('what is kept later keeps nobody waiting', async () => {
  const file = fileOf();
  const memory = open(file);
  memory.keep('first', FACTS);
  let isSaved = false;
  const saved = memory.saving?.then(() => {
    isSaved = true;
  });
  let turns = 0;
  for (; !isSaved && turns < 10_000; turns++) {
    memory.keep(`${turns % 1000}`, { ...FACTS, state: stateOf({ image: `${turns}` }) });
    await turn();
  }
  equal(isSaved, true);
  deepEqual(open(file).recall('first'), FACTS);
  await saved;
  await memory.saving;
});

test('what comes while another write is under way is in the file once it is saved', async () => {
  const file = fileOf();
  const memory = open(file);
  for (let round = 0; round < 100; round++) {
    memory.keep(`${round} a`, FACTS);
    for (let n = round % 5; n > 0; n--) await turn();
    memory.keep(`${round} b`, FACTS);
    await memory.saving;
    deepEqual(open(file).recall(`${round} b`), FACTS);
  }
});

test('long facts leave room for fewer containers, in memory and in the file', async () => {
  const file = fileOf();
  const memory = open(file);
  const facts = { state: stateOf({ image: 'x'.repeat(30_000) }), pod: undefined };
  for (let n = 0; n < 1000; n++) await keep(memory, `${n}`, facts);
  equal(memory.recall('700'), undefined);
  deepEqual(memory.recall('999'), facts);
  equal(statSync(file).size < 13 << 20, true, `${statSync(file).size} bytes`);
});

test('a file that cannot be written is reported, and the memory of this run stays', async () => {
  const file = fileOf();
  mkdirSync(join(file, 'folder'), { recursive: true });
  const problems: string[] = [];
  const memory = open(file, { problems });
  await keep(memory, 'a', FACTS);
  deepEqual(memory.recall('a'), FACTS);
  equal(problems.length, 1);
});

test('a symbolic link in its place is neither read nor followed', async () => {
  const [file, target] = [fileOf(), fileOf()];
  writeFileSync(target, 'mine');
  symlinkSync(target, file);
  await keep(open(file), 'a', FACTS);
  equal(readFileSync(target, 'utf8'), 'mine');
  deepEqual(open(file).recall('a'), FACTS);
});
