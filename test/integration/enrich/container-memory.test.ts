import { deepEqual, equal, notEqual } from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import {
  type ContainerMemory,
  openContainerMemory,
} from '../../../agent/enrich/container-memory.ts';
import { stateOf } from '../../enrich/craft.ts';
import { createBed } from '../../support/journal/bed.ts';
import { until } from '../../support/until.ts';

/** Longer than a block, so that a disk that is nearly full takes a part of a line. */
const LONG = { state: stateOf({ image: 'x'.repeat(10_000) }), pod: undefined };

/** A disk that has no room for the facts about a second container, and what opens the memory there. */
async function onFullDisk(t: TestContext) {
  const bed = createBed(t);
  bed.mount('1m');
  const [file, filler] = [join(bed.dir, 'containers.jsonl'), join(bed.dir, 'filler')];
  const open = () =>
    openContainerMemory({
      file,
      configuration: 'none',
      onProblem: ({ message }) => bed.problems.push(message),
    });
  const memory = open();
  await keep(memory, 'first');
  spawnSync('dd', ['if=/dev/zero', `of=${filler}`, 'bs=4096'], { stdio: 'ignore' });
  await keep(memory, 'second');
  equal(bed.problems.length, 1);
  notEqual(readFileSync(file, 'latin1').at(-1), '\n', 'a part of the line is there');
  return { memory, open, makeRoom: () => rmSync(filler) };
}

async function keep(memory: ContainerMemory, key: string): Promise<void> {
  memory.keep(key, LONG);
  await memory.saving;
}

const known = (memory: ContainerMemory, ...keys: readonly string[]) =>
  keys.filter((key) => memory.recall(key) !== undefined);

test('what a full disk did not take is in the file once there is room, also if no container follows', async (t) => {
  const { memory, open, makeRoom } = await onFullDisk(t);
  makeRoom();
  await until('the next try', async () => {
    await memory.saving;
    return known(open(), 'second').length > 0;
  });
  deepEqual(known(open(), 'first', 'second'), ['first', 'second']);
});

test('what a full disk did not take is written with the next container', async (t) => {
  const { memory, open, makeRoom } = await onFullDisk(t);
  makeRoom();
  await keep(memory, 'third');
  deepEqual(known(open(), 'first', 'second', 'third'), ['first', 'second', 'third']);
});

test('a line that a full disk cut takes no other container with it, in the next run either', async (t) => {
  const { open, makeRoom } = await onFullDisk(t);
  const next = open();
  makeRoom();
  await keep(next, 'third');
  deepEqual(known(open(), 'first', 'second', 'third'), ['first', 'third']);
});
