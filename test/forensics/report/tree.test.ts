import assert from 'node:assert/strict';
import { test } from 'node:test';
import { moveFor } from '../../../forensics/report/page/keys.ts';
import {
  expandBelow,
  growTree,
  linesOfList,
  linesOfTree,
} from '../../../forensics/report/page/tree.ts';

/** Shows each line as `record` at its level, such as `0 .1 ..2`. */
function drawn(causes: readonly number[], kept?: readonly number[], collapsed?: readonly number[]) {
  const count = causes.length;
  const lines = linesOfTree(
    growTree(Int32Array.from(causes)),
    flags(count, kept ?? causes.keys()),
    flags(count, collapsed ?? []),
  );
  return Array.from(
    lines.records,
    (record, line) => '.'.repeat((lines.levels[line] ?? 0) - 1) + record,
  ).join(' ');
}

function flags(count: number, set: Iterable<number>): Uint8Array {
  const array = new Uint8Array(count);
  for (const index of set) array[index] = 1;
  return array;
}

const FAMILY = [-1, 0, 1, 0, -1, 4];

test('effects are below their cause, in their order', () => {
  assert.equal(drawn(FAMILY), '0 .1 ..2 .3 4 .5');
  assert.equal(drawn([1, -1, 1]), '1 .0 .2');
  assert.equal(drawn([]), '');
});

test('a collapsed record hides everything below it and nothing else', () => {
  assert.equal(drawn(FAMILY, undefined, [0]), '0 4 .5');
  assert.equal(drawn(FAMILY, undefined, [1, 4]), '0 .1 .3 4');
});

test('a kept record keeps its causes but not its effects', () => {
  assert.equal(drawn(FAMILY, [2]), '0 .1 ..2');
  assert.equal(drawn(FAMILY, [0, 5]), '0 4 .5');
  assert.equal(drawn(FAMILY, []), '');
});

test('causes that form a circle are shown, each record once', () => {
  for (const circle of [[0], [1, 0], [2, 0, 1, 1, 3], [1, 2, 3, 1]]) {
    const lines = drawn(circle).replaceAll('.', '').split(' ');
    assert.deepEqual(
      lines.toSorted(),
      circle.map((_, record) => `${record}`),
    );
  }
});

test('a chain may be as long as the report', () => {
  const causes = Int32Array.from({ length: 300_000 }, (_, record) => record - 1);
  const tree = growTree(causes);
  assert.equal(tree.effects[0], 299_999);
  const collapsed = new Uint8Array(300_000).fill(1);
  expandBelow(tree, 10, collapsed);
  assert.equal(collapsed.indexOf(0), 10);
  assert.equal(collapsed.lastIndexOf(1), 9);
  const lines = linesOfTree(tree, new Uint8Array(300_000).fill(1), new Uint8Array(300_000));
  assert.equal(lines.levels.at(-1), 300_000);
});

test('a line has its position among its visible siblings', () => {
  const lines = linesOfTree(
    growTree(Int32Array.from([-1, 0, 0, 0])),
    flags(4, [1, 3]),
    new Uint8Array(4),
  );
  assert.deepEqual([lines.positions[1], lines.positions[3]], [1, 2]);
  assert.deepEqual([lines.siblings(0), lines.siblings(3)], [1, 2]);
  assert.deepEqual([lines.hasChildren(0), lines.hasChildren(1)], [true, false]);
});

test('a list has only the kept records, without levels', () => {
  const lines = linesOfList(flags(4, [1, 3]));
  assert.deepEqual([...lines.records], [1, 3]);
  assert.deepEqual([...lines.levels], [1, 1]);
  assert.equal(lines.siblings(3), 2);
});

test('keys move as in any tree', () => {
  const levels = Int32Array.from([1, 2, 3, 2, 1]);
  const at = (line: number, state: 'open' | 'closed' | 'leaf' = 'leaf') => ({
    line,
    page: 3,
    open: state === 'open',
    closed: state === 'closed',
    levels,
  });
  assert.equal(moveFor('ArrowDown', at(4)), 4);
  assert.equal(moveFor('ArrowUp', at(0)), 0);
  assert.equal(moveFor('ArrowRight', at(0, 'closed')), 'expand');
  assert.equal(moveFor('ArrowRight', at(0, 'open')), 1);
  assert.equal(moveFor('ArrowRight', at(2)), 2);
  assert.equal(moveFor('ArrowLeft', at(1, 'open')), 'collapse');
  assert.equal(moveFor('ArrowLeft', at(3)), 0);
  assert.equal(moveFor('ArrowLeft', at(2)), 1);
  assert.equal(moveFor('ArrowLeft', at(4)), 4);
  assert.equal(moveFor('PageDown', at(0)), 3);
  assert.equal(moveFor('End', at(0)), 4);
  assert.equal(moveFor('x', at(0)), undefined);
});
