import { deepEqual, equal, ok } from 'node:assert/strict';
import { test } from 'node:test';
import {
  apart,
  chosen,
  elements,
  LONG_TEXT,
  members,
  OPTIONAL_TEXT,
  type Shape,
  stream,
  TEXT,
  variablesNamed,
} from '../../agent/kube/json-shape.ts';
import { JsonSieve, type Sieved } from '../../agent/kube/json-sieve.ts';
import { bytesInUse } from '../support/memory.ts';

const SHAPE = members({
  a: TEXT,
  b: members({ c: TEXT }),
  d: elements(members({ e: TEXT })),
  f: chosen((key) => (key.startsWith('g') ? OPTIONAL_TEXT : undefined)),
});

/** Reads a text in pieces of so many bytes. */
function read(json: string | Buffer, bytes: number, shape: Shape = SHAPE): Sieved | undefined {
  const sieve = new JsonSieve(shape);
  const whole = Buffer.from(json);
  for (let at = 0; at < whole.length; at += bytes) {
    // Each piece is overwritten, as the buffers of a socket are.
    const piece = Buffer.from(whole.subarray(at, at + bytes));
    sieve.write(piece);
    piece.fill('!');
  }
  return sieve.end();
}

const KEPT: readonly [json: string, value: unknown][] = [
  ['{}', {}],
  [' { "a" : "x" , "b" : { "c" : 1 } } \n', { a: 'x', b: { c: 1 } }],
  ['{"a":-1.5e+3}', { a: -1500 }],
  ['{"a":true,"b":{"c":null}}', { a: true, b: { c: null } }],
  ['{"a":"\\"\\\\\\u003c\\n","x":"\\\\","b":{}}', { a: '"\\<\n', b: {} }],
  ['{"a":"Zoë 猫 😀"}', { a: 'Zoë 猫 😀' }],
  ['{"\\u0061":"x"}', { a: 'x' }],
  ['{"d":[{"e":1},{"x":2},{"e":3}]}', { d: [{ e: 1 }, {}, { e: 3 }] }],
  ['{"d":[]}', { d: [] }],
  ['{"f":{"g1":"x","h":"y","g2":"z"}}', { f: { g1: 'x', g2: 'z' } }],
  // What no shape names is skipped, whatever it looks like.
  ['{"x":{"a":"}]\\"{[","y":[[{}],"]"]},"a":"x"}', { a: 'x' }],
  ['{"x":[{"a":1},"\\\\",[]],"y":12,"z":"","a":"x"}', { a: 'x' }],
  // Values of another kind than their shape are skipped.
  ['{"a":{"c":1},"b":"x","d":{"e":1},"f":[1]}', {}],
  ['{"a":[1],"b":null,"d":12,"f":null}', {}],
  ['{"d":[1,"x",null,[],{"e":2}]}', { d: [{ e: 2 }] }],
  ['{"__proto__":{"a":1},"a":"x"}', { a: 'x' }],
];
for (const [json, value] of KEPT)
  test(`of ${json.trim()} only what the shape names is kept, in pieces of any size`, () => {
    for (const bytes of [1, 2, 3, 7, 1 << 20])
      deepEqual(read(json, bytes), { value, isCut: false }, `${bytes} bytes a piece`);
  });

const REFUSED = [
  '',
  ' ',
  '{',
  '{"a"',
  '{"a":',
  '{"a":"x"',
  '{"a":"x',
  '{"a":"x\\',
  '{"a":"x",}',
  '{"d":[{},]}',
  '{"a" "x"}',
  '{"a":"x" "b":1}',
  '{a:1}',
  '{"a":1}}',
  '{"a":1}{}',
  '{"a":nonsense}',
  '{"a":"\\x"}',
  '{"x":[}',
  '[]',
  '"x"',
  '12',
  'not JSON',
  'x'.repeat(1000),
];
for (const json of REFUSED)
  test(`${json.slice(0, 20)} is no JSON of this shape`, () => {
    for (const bytes of [1, 3, 1 << 20]) equal(read(json, bytes), undefined, `${bytes} bytes`);
  });

test('after a text that is no JSON the next one is read', () => {
  const sieve = new JsonSieve(SHAPE);
  for (const broken of ['{"x":["', '{"a":"\\', 'nothing', '{"x":{"y":[']) {
    sieve.write(Buffer.from(broken));
    equal(sieve.end(), undefined);
    sieve.write(Buffer.from('{"a":"x"}'));
    deepEqual(sieve.end(), { value: { a: 'x' }, isCut: false });
  }
});

test('the elements of a stream are passed on one by one, each with its own bounds', () => {
  const seen: Sieved[] = [];
  const sieve = new JsonSieve(members({ a: TEXT, d: stream(SHAPE) }), (one) => seen.push(one));
  const large = { a: 'large', d: Array.from({ length: 5000 }, (_, e) => ({ e })) };
  sieve.write(Buffer.from(`{"d":[{"a":"x"},null,${JSON.stringify(large)},{"a":"y"}`));
  equal(seen.length, 3);
  sieve.write(Buffer.from('],"a":"z"}'));
  deepEqual(sieve.end(), { value: { d: [], a: 'z' }, isCut: false });
  deepEqual(
    seen.map(({ value, isCut }) => [(value as { a: string }).a, isCut]),
    [
      ['x', false],
      ['large', true],
      ['y', false],
    ],
  );
});

test('what does not fit is left out, and marked unless it is optional', () => {
  const long = 'x'.repeat(100_000);
  const f = Object.fromEntries(Array.from({ length: 1000 }, (_, n) => [`g${n}`, 'x'.repeat(100)]));
  deepEqual(read(`{"a":"${long}","b":{"c":1}}`, 4096), { value: { b: { c: 1 } }, isCut: true });
  deepEqual(read(`{"f":{"g":"${long}"},"a":"x"}`, 4096), {
    value: { f: {}, a: 'x' },
    isCut: false,
  });
  const many = read(JSON.stringify({ f, a: 'x' }), 4096);
  const { f: kept = {}, a } = (many?.value ?? {}) as { f?: object; a?: string };
  ok(Object.keys(kept).length > 50 && Object.keys(kept).length < 200);
  deepEqual([a, many?.isCut], ['x', false]);
  deepEqual(read(`{"${long}":1,"a":"x"}`, 4096), { value: { a: 'x' }, isCut: false });
});

const APART = members({ a: TEXT, b: apart(elements(members({ e: LONG_TEXT }))), c: TEXT });

test('a value apart takes no room from the rest, and is there as a whole or null', () => {
  const many = (count: number) => Array.from({ length: count }, () => ({ e: 'x'.repeat(100) }));
  for (const [b, kept] of [
    [many(1000), many(1000)],
    [many(10_000), null],
    [[{ e: 'x'.repeat(20_000) }], null],
    [[], []],
    [null, undefined],
    ['x', undefined],
  ] as const)
    for (const bytes of [7, 1 << 20]) {
      const value = { a: 'x', ...(kept !== undefined && { b: kept }), c: 'y' };
      deepEqual(read(JSON.stringify({ a: 'x', b, c: 'y' }), bytes, APART), { value, isCut: false });
    }
});

test('what was too large apart leaves its room to others, and each element has its own', () => {
  const large = Array.from({ length: 10_000 }, () => ({ e: 'x'.repeat(100) }));
  const seen: Sieved[] = [];
  const sieve = new JsonSieve(stream(elements(APART)), (one) => seen.push(one));
  const half = large.slice(0, 1500);
  const element = [{ b: large }, { b: half }, { b: half }];
  sieve.write(Buffer.from(JSON.stringify([element, element])));
  const expected = { value: [{ b: null }, { b: half }, { b: null }], isCut: false };
  deepEqual(seen, [expected, expected]);
});

test('of an environment only the names that are asked for are kept, however long its values are', () => {
  const shape = members({ env: variablesNamed(['A', 'B']), z: TEXT });
  const env = ['A=secret', `B=${'x'.repeat(100_000)}`, 'AB=1', 'C=2', 'A', '=A', ' A=1', 7];
  for (const bytes of [1, 7, 1 << 20])
    deepEqual(read(JSON.stringify({ env, z: 'z' }), bytes, shape), {
      value: { env: ['A', 'B', 'A'], z: 'z' },
      isCut: false,
    });
  const many = Array.from({ length: 100_000 }, (_, n) => `V_${n}=x`);
  deepEqual(read(JSON.stringify({ env: [...many, 'B=1'] }), 4096, shape), {
    value: { env: ['B'] },
    isCut: false,
  });
});

test('of any document, cut anywhere, what is kept equals what JSON.parse() would keep', () => {
  let seed = 7;
  const below = (n: number) => {
    seed = (Math.imul(seed, 1103515245) + 12345) & 0x7fffffff;
    return (seed >> 8) % n;
  };
  const names = ['a', 'b', 'c', 'ä"\\', '{'];
  const value = (depth: number): unknown => {
    const kind = below(depth > 4 ? 4 : 7);
    if (kind < 4) return [null, below(1000) - 500.5, 'x"\\\n{}[],:ä', below(2) === 0][kind];
    const size = below(4);
    if (kind === 4) return Array.from({ length: size }, () => value(depth + 1));
    const fields = Array.from({ length: size }, () => [names[below(5)] ?? 'a', value(depth + 1)]);
    return Object.fromEntries(fields);
  };
  const shape = members({
    a: TEXT,
    b: members({ a: elements(members({ c: TEXT })), b: TEXT }),
    'ä"\\': elements(TEXT),
  });
  for (let round = 0; round < 3000; round += 1) {
    const document = { a: value(0), b: value(0), c: value(0), ...(value(0) as object) };
    const bytes = Buffer.from(JSON.stringify(document, null, below(3)));
    const sieve = new JsonSieve(shape);
    for (let at = 0; at < bytes.length; ) {
      const end = at + 1 + below(9);
      sieve.write(bytes.subarray(at, end));
      at = end;
    }
    deepEqual(sieve.end(), { value: keptOf(document, shape), isCut: false });
  }
});

/** The same as a sieve, of a value that is in memory; undefined: nothing is kept. */
function keptOf(value: unknown, shape: Shape | undefined): unknown {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  switch (shape?.kind) {
    case 'leaf':
      return isObject || Array.isArray(value) ? undefined : value;
    case 'elements': {
      if (!Array.isArray(value)) return undefined;
      return value.map((one) => keptOf(one, shape.of)).filter((one) => one !== undefined);
    }
    case 'members': {
      if (!isObject) return undefined;
      const kept = Object.entries(value).map(([key, one]) => [key, keptOf(one, shape.of(key))]);
      return Object.fromEntries(kept.filter(([, one]) => one !== undefined));
    }
    default:
      return undefined;
  }
}

const MEGABYTES = 64;
for (const [what, part] of [
  ['a text', 'x'],
  ['escapes', '\\u003c'],
  ['quotes', '","'],
  ['objects', '"},{"e":"'],
  ['keys', '"},"g":{"e":"'],
] as const)
  test(`${MEGABYTES} MiB of ${what} take no memory`, () => {
    const sieve = new JsonSieve(SHAPE);
    const piece = Buffer.from(part.repeat((1 << 16) / part.length));
    sieve.write(Buffer.from('{"d":[{"e":"'));
    sieve.write(piece);
    const before = bytesInUse();
    for (let n = 0; n < MEGABYTES * 16; n++) sieve.write(piece);
    ok(bytesInUse() - before < 1 << 20, `${bytesInUse() - before} bytes`);
  });
