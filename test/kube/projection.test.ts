import { deepEqual, equal, throws } from 'node:assert/strict';
import { test } from 'node:test';
import { Each, type Fields, Projection, ShortValues } from '../../agent/kube/projection.ts';

/** What a projection hands out, for text that arrives in pieces. */
function projected(fields: Fields, pieces: Iterable<string | Uint8Array>) {
  const elements: unknown[] = [];
  const documents: unknown[] = [];
  const projection = new Projection({
    fields,
    onElement: (element) => elements.push(element),
    onDocument: (document) => documents.push(document),
  });
  for (const piece of pieces) projection.write(Buffer.from(piece).toString('latin1'));
  return { elements, documents, isWithinDocument: projection.isWithinDocument };
}

const documentsOf = (fields: Fields, text: string) => projected(fields, [text]).documents;

for (const [what, fields, text, kept] of [
  ['all of a value', true, '{"a":[1,{"b":"}"}]}', { a: [1, { b: '}' }] }],
  ['a field', { a: true }, '{"b":{"a":1},"a":2,"c":3}', { a: 2 }],
  ['nothing', {}, '{"a":1}', {}],
  ['a field within', { a: { b: true } }, '{"a":{"c":[{"b":0}],"b":1}}', { a: { b: 1 } }],
  [
    'fields of elements',
    { a: { b: true } },
    '{"a":[{"b":1,"c":2},{"b":3}]}',
    { a: [{ b: 1 }, { b: 3 }] },
  ],
  ['what is no container', { a: { b: true } }, '{"a":null,"c":1}', { a: null }],
  ['text with quotes and braces', { a: true }, '{"b":"\\"}{\\\\","a":"\\"]\\\\"}', { a: '"]\\' }],
  ['no inherited name', {}, '{"constructor":1,"__proto__":2}', {}],
] as const)
  test(`a projection keeps ${what}`, () => {
    deepEqual(documentsOf(fields, text), [kept]);
  });

test('the elements of a list are handed out, with space between everything', () => {
  const fields = { kind: true, items: new Each({ a: true }) } as const;
  const text =
    ' { "kind" : "List" , "items" : [ { "a" : 1 , "b" : 2 } , { } , 7 ] , "x" : [ ] } \n';
  const { elements, documents } = projected(fields, [text]);
  deepEqual(elements, [{ a: 1 }, {}, 7]);
  deepEqual(documents, [{ kind: 'List', items: [] }]);
});

test('values that are too long are left out of an object', () => {
  const long = JSON.stringify('x'.repeat(5000));
  const text = `{"a":{"k":${long},"b":"1","c":${long},"d":"2","e":${long}}}`;
  deepEqual(documentsOf({ a: new ShortValues(1000) }, text), [{ a: { b: '1', d: '2' } }]);
  deepEqual(documentsOf({ a: new ShortValues(1000) }, `{"a":{"k":${long}},"b":1}`), [{ a: {} }]);
});

test('a stream has several documents', () => {
  deepEqual(documentsOf({ a: true }, '{"a":1}\n{"b":2}{"a":3}\n'), [{ a: 1 }, {}, { a: 3 }]);
});

for (const text of ['{"a":1', '{"a', '[', '"a'])
  test(`${text} ends within a document`, () => {
    equal(projected({ a: true }, [text]).isWithinDocument, true);
  });

for (const text of ['}', '{"a"}', '{1:2}', '[}', '{"a":,}', '{"b":[}', '<html> ', '{"a":x}'])
  test(`${text} is an error, and no endless loop`, () => {
    throws(() => projected({ a: true, b: { c: true } }, [text]), Error);
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
  const fields: Fields = { a: true, b: { a: { c: true }, b: true }, ä: true };
  for (let round = 0; round < 3000; round += 1) {
    const document = { a: value(0), b: value(0), c: value(0), ...(value(0) as object) };
    const bytes = Buffer.from(JSON.stringify(document, null, below(3)));
    const pieces: Buffer[] = [];
    for (let at = 0; at < bytes.length; ) {
      const end = at + 1 + below(9);
      pieces.push(bytes.subarray(at, end));
      at = end;
    }
    deepEqual(projected(fields, pieces).documents, [keptOf(document, fields)]);
  }
});

/** The same as a projection, of a value that is in memory. */
function keptOf(value: unknown, fields: Fields): unknown {
  if (typeof fields !== 'object' || typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((element) => keptOf(element, fields));
  const named = Object.entries(fields).filter(([name]) => Object.hasOwn(value, name));
  const kept = named.map(([name, below]) => [
    name,
    keptOf((value as Record<string, unknown>)[name], below),
  ]);
  return Object.fromEntries(kept.sort(([a], [b]) => orderIn(value, a) - orderIn(value, b)));
}

function orderIn(value: object, name: unknown): number {
  return Object.keys(value).indexOf(String(name));
}
