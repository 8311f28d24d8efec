import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CheckpointWriter } from '../../agent/run/session/checkpoint.ts';
import { DrainLoop } from '../../agent/run/session/drain-loop.ts';
import type { Recorder, Turn } from '../../agent/run/session/recorder.ts';
import { until } from '../support/until.ts';

const INTERVAL_MS = 1;
const NEWS: Turn = { waitMs: INTERVAL_MS, hasNews: true, maySleep: false };
const NOTHING: Turn = { waitMs: INTERVAL_MS, hasNews: false, maySleep: false };
const IDLE: Turn = { waitMs: INTERVAL_MS, hasNews: true, maySleep: true };

/** A loop with these turns, the last one again and again; `calls` lists what else it does. */
function loopOver(turns: (Turn | Error)[], canSleep = true) {
  const calls: string[] = [];
  let wake = () => {};
  const recorder = {
    async turn() {
      const turn = (turns.length > 1 ? turns.shift() : turns[0]) as Turn | Error;
      if (turn instanceof Error) throw turn;
      return turn;
    },
    async sleep(call: () => void) {
      calls.push('sleep');
      wake = call;
      return canSleep;
    },
    addKernelMisses: () => calls.push('misses'),
  } as unknown as Recorder;
  const checkpoint: CheckpointWriter = {
    note() {
      calls.push('note');
      return true;
    },
    resume: () => calls.push('resume'),
    pause: () => calls.push('pause'),
    async end() {
      calls.push('end');
    },
    close: async () => {},
  };
  const loop = new DrainLoop(recorder, checkpoint, INTERVAL_MS);
  return { loop, calls, wake: () => wake() };
}

test('a turn with news is followed by a checkpoint, and by what the kernel has skipped until then', async () => {
  const { loop, calls } = loopOver([NEWS, NOTHING]);
  const ended = loop.run();
  await until('turns', () => loop.turns.count > 2);
  assert.deepEqual(calls, ['note', 'misses']);
  loop.stop();
  await ended;
});

test('a sleeping loop takes no turn, and continues when it is woken', async () => {
  const { loop, calls, wake } = loopOver([IDLE, NOTHING]);
  const ended = loop.run();
  await until('sleep', () => !loop.isAwake);
  assert.deepEqual(calls, ['note', 'misses', 'sleep', 'resume']);
  await new Promise((resolve) => setTimeout(resolve, 20 * INTERVAL_MS));
  assert.equal(loop.turns.count, 1);
  wake();
  await until('turns', () => loop.turns.count > 1);
  assert.equal(calls.at(-1), 'pause');
  assert.equal(loop.isAwake, true);
  loop.stop();
  await ended;
});

test('a loop does not sleep if there is already something to drain', async () => {
  const { loop } = loopOver([IDLE, NOTHING], false);
  const ended = loop.run();
  await until('turns', () => loop.turns.count > 2);
  assert.equal(loop.isAwake, true);
  loop.stop();
  await ended;
});

test('a loop that was stopped while it slept is not woken again', async () => {
  const { loop, wake } = loopOver([IDLE]);
  const ended = loop.run();
  await until('sleep', () => !loop.isAwake);
  loop.stop();
  wake();
  assert.equal(loop.isAwake, false);
  await ended;
  assert.equal(loop.turns.count, 1);
});

test('an error ends the loop and the checkpoint’s timer', async () => {
  const { loop, calls } = loopOver([NOTHING, new Error('the ring is gone')]);
  await assert.rejects(loop.run(), { message: 'the ring is gone' });
  assert.equal(loop.isAwake, false);
  assert.deepEqual(calls, ['pause']);
});
