import { deepEqual, equal, throws } from 'node:assert/strict';
import { test } from 'node:test';
import { parseShallow } from '../../record/shallow.ts';

const parsed = (text: string) => parseShallow(text, (json) => json);
const deep = (depth: number) =>
  '[{"a":'.repeat(depth / 2) + '}]'.repeat(depth / 2).replace('}', '1}');

test('a text that fits on the stack is parsed exactly, and as a whole', () => {
  const text = `{"n":12345678901234567890,"x":${deep(600)}}`;
  equal((parsed(text) as { n: bigint }).n, 12345678901234567890n);
  equal(JSON.stringify((parsed(text) as { x: unknown }).x), deep(600));
});

test('of a deeper text, everything up to a depth is left, exactly', () => {
  const text = `{"a":"]}\\"[{","x":${deep(200_000)},"n":12345678901234567890,"y":[${deep(200_000)},2]}`;
  const { a, x, n, y } = parsed(text) as Record<string, unknown>;
  deepEqual([a, n, (y as unknown[])[1]], [']}"[{', 12345678901234567890n, 2]);
  let depth = 1;
  for (let value = x; value !== null; depth += 1) value = Object.values(value as object)[0];
  equal(depth, 512);
});

test('what is made of a text is made again if the stack ends there', () => {
  const depthOf = (value: unknown): number =>
    typeof value === 'object' && value !== null ? 1 + depthOf(Object.values(value)[0]) : 0;
  equal(parseShallow(deep(200_000), depthOf), 512);
});

test('what is no JSON is refused', () => {
  throws(() => parsed('[1,]'), SyntaxError);
});
