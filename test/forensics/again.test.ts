import { deepEqual, equal } from 'node:assert/strict';
import { test } from 'node:test';
import { rowsAgain, type Suspect } from '../../forensics/inputs/again.ts';

/** Rows with one id: the journal of each, and its text. */
async function again(rows: readonly (readonly [journal: string, text: string])[]) {
  const suspects: Suspect[] = rows.map(([journal], row) => {
    return { row, id: 1n, journal, isDelivered: journal === 'delivered' };
  });
  return rowsAgain(suspects, async function* (wanted) {
    for (const row of wanted) yield { row, text: rows[row]?.[1] ?? '' };
  });
}

test('a record counts once over several journals, and as often as a journal itself repeats it', async () => {
  deepEqual(
    await again([
      ['a', 'x'],
      ['a', 'x'],
      ['b', 'x'],
      ['a', 'x'],
    ]),
    [2, 3],
  );
  deepEqual(
    await again([
      ['a', 'x'],
      ['a', 'x'],
    ]),
    [],
  );
  deepEqual(
    await again([
      ['a', 'x'],
      ['b', 'y'],
    ]),
    [],
  );
  deepEqual(
    await again([
      ['delivered', 'x'],
      ['delivered', 'x'],
      ['delivered', 'y'],
    ]),
    [1],
  );
  deepEqual(
    await again([
      ['a', '{"b":1,"a":2}'],
      ['b', '{"a":2,"b":1}'],
    ]),
    [1],
  );
});

test('the same id in very many lines takes no longer than other lines', async () => {
  const many = Array.from({ length: 300_000 }, () => ['a', 'x'] as const);
  equal((await again(many)).length, 0);
  equal((await again([...many, ['b', 'x']])).length, 1);
});
