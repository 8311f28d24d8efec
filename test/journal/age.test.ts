import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { readBootId } from '../../record/ids.ts';
import { BOOT_ID } from '../support/ids.ts';
import { append, createBed, linesOf } from '../support/journal/bed.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** A journal whose segments live an hour, on a boot clock that the test sets. */
function journalOf(t: TestContext) {
  const bed = createBed(t);
  const clock = { ms: 5 * HOUR_MS };
  const now = () => clock.ms;
  return { bed, clock, open: () => bed.open({ segmentMaxAgeMs: HOUR_MS, now }) };
}

/** The line of a record. */
function recordAt(ms: number, bootId = readBootId()): string {
  return JSON.stringify({
    attributes: { 'vcml.boot.id': bootId, 'vcml.boot_time': `${ms}000000` },
  });
}

test('a segment is closed once it is older than its age by the boot clock', async (t) => {
  const { bed, clock, open } = journalOf(t);
  const journal = await open();
  for (const [line, ms, segment] of [
    ['one', 0, 1],
    ['two', HOUR_MS - 1, 1],
    // The machine was suspended.
    ['three', 1, 2],
    ['four', HOUR_MS - 1, 2],
    ['five', DAY_MS, 3],
  ] as const) {
    clock.ms += ms;
    await append(journal, line);
    assert.equal(journal.position.segment, segment, line);
  }
  await journal.close();
  assert.deepEqual(linesOf(bed.dir), ['one', 'two', 'three', 'four', 'five']);
});

for (const [what, stepMs] of [
  ['forward', DAY_MS],
  ['back', -DAY_MS],
] as const)
  test(`a step ${what} of the wall clock does not change the age of a segment, also across a restart`, async (t) => {
    const { clock, open } = journalOf(t);
    const old = await open();
    await append(old, recordAt(clock.ms));
    t.mock.timers.enable({ apis: ['Date'], now: Date.now() + stepMs });
    clock.ms += 1;
    await append(old, 'two');
    assert.equal(old.position.segment, 1);
    await old.close();

    const journal = await open();
    clock.ms += HOUR_MS - 2;
    await append(journal, 'three');
    assert.equal(journal.position.segment, 1);
    clock.ms += 1;
    await append(journal, 'four');
    assert.equal(journal.position.segment, 2);
    await journal.close();
  });

test('a segment of an earlier boot is closed before the next lines, whatever the boot clock says', async (t) => {
  const { clock, open } = journalOf(t);
  const old = await open();
  await append(old, recordAt(clock.ms, BOOT_ID));
  await old.close();
  clock.ms = 10;
  const journal = await open();
  await append(journal, recordAt(clock.ms));
  assert.equal(journal.position.segment, 2);
  await append(journal, 'more');
  assert.equal(journal.position.segment, 2);
  await journal.close();
});

test('a segment whose first line says no time gets older from the start of the run on', async (t) => {
  const { clock, open } = journalOf(t);
  for (const [line, segment] of [
    ['damaged', 1],
    ['null', 1],
    ['{}', 2],
  ] as const) {
    const journal = await open();
    clock.ms += HOUR_MS - 1;
    await append(journal, line);
    if (segment === 2) {
      clock.ms += 1;
      await append(journal, line);
    }
    assert.equal(journal.position.segment, segment);
    await journal.close();
  }
});
