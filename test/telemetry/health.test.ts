import { deepEqual, equal, match } from 'node:assert/strict';
import { test } from 'node:test';
import { Health } from '../../agent/telemetry/health.ts';

/** Health at a time of the test's, over a drain of the test's. */
function createHealth() {
  const clock = { ms: 0 };
  const drain = { turns: 0, isDue: true, isWriting: false };
  const health = new Health(() => clock.ms);
  const begin = () => health.begin({ read: async () => ({}), drain: () => drain });
  /** Looks again after so many seconds. */
  const liveAfter = (seconds: number) => {
    clock.ms += seconds * 1000;
    return health.live().status;
  };
  return { health, drain, begin, liveAfter };
}

test('an agent that waits for the hook is alive and not ready, however long it waits', () => {
  const { health, liveAfter } = createHealth();
  equal(liveAfter(100_000), 'pass');
  equal(health.ready().status, 'fail');
  equal(health.ready().checks.hook?.reason, 'the hook is not armed yet');
});

test('a drain that takes turns is alive, whatever the interval between probes', () => {
  const { drain, begin, liveAfter } = createHealth();
  begin();
  for (const seconds of [1, 10, 59, 600, 100_000]) {
    drain.turns += 1;
    equal(liveAfter(seconds), 'pass', `${seconds}`);
  }
});

test('a drain that has work and takes no turn is dead after a minute, and alive after its next turn', () => {
  const { health, drain, begin, liveAfter } = createHealth();
  begin();
  drain.turns = 7;
  equal(liveAfter(1), 'pass');
  equal(liveAfter(59), 'pass');
  equal(liveAfter(1), 'fail');
  match(health.live().checks.drain?.reason ?? '', /^has not turned for 60 s/);
  drain.turns = 8;
  equal(liveAfter(1), 'pass');
});

test('a sleeping drain without work is alive, also at the moment when work arrives', () => {
  const { drain, begin, liveAfter } = createHealth();
  begin();
  drain.isDue = false;
  equal(liveAfter(3600), 'pass');
  equal(liveAfter(3600), 'pass');
  drain.isDue = true;
  equal(liveAfter(0), 'pass');
  equal(liveAfter(59), 'pass');
  equal(liveAfter(1), 'fail');
});

test('a journal that cannot be written makes the agent unready with the reason, and alive', () => {
  const { health, begin, liveAfter } = createHealth();
  begin();
  deepEqual([health.ready().status, health.isJournalWritable], ['pass', true]);
  health.noteJournal(new Error('no space left'));
  deepEqual([health.ready().status, health.isJournalWritable], ['fail', false]);
  equal(health.ready().checks.journal?.reason, 'no space left');
  equal(liveAfter(1), 'pass');
  health.noteJournal(undefined);
  deepEqual([health.ready().status, health.isJournalWritable], ['pass', true]);
});

test('a drain that waits for the disk is alive, however long it waits, and has a minute after that', () => {
  const { drain, begin, liveAfter } = createHealth();
  begin();
  drain.isWriting = true;
  equal(liveAfter(3600), 'pass');
  drain.isWriting = false;
  equal(liveAfter(59), 'pass');
  equal(liveAfter(1), 'fail');
});

test('an agent that is stopping is alive and not ready', () => {
  const { health, begin, liveAfter } = createHealth();
  begin();
  health.end();
  equal(health.ready().checks.hook?.reason, 'the agent is ending');
  equal(health.ready().status, 'fail');
  equal(liveAfter(3600), 'pass');
});
