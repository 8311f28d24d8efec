import assert from 'node:assert/strict';
import { test } from 'node:test';
import { zstdCompressSync } from 'node:zlib';
import { valuesOf } from '../../../record/index/id-set.ts';
import { IndexBuilder } from '../../../record/index/index-builder.ts';
import { decodeIndex, encodeIndex } from '../../../record/index/segment-index.ts';
import { draft, exec, execId, start, text } from '../../check/craft.ts';
import { createSeeded } from '../../support/scripted/seeded.ts';

const PLACE = { offset: 0, bytes: 10, crc: 7 };

/** Returns the index of one frame with these lines. */
function indexOf(...pieces: readonly string[]) {
  const builder = new IndexBuilder();
  for (const piece of pieces) builder.add(Buffer.from(piece));
  builder.endFrame(PLACE);
  return builder.index;
}

function frameOf(...pieces: readonly string[]) {
  const [frame] = indexOf(...pieces).frames;
  assert.ok(frame);
  return frame;
}

const begin = start([1, 1]);
const parent = execId(10, 100);
const first = exec(10, 100, 0, 1);
const second = exec(20, 101, 1, 1, { parent });
second.resource = { 'host.name': 'node', 'os.type': 'linux', 'k8s.pod.name': 'a"},"b' };
const lines = [begin, first, second].map((one) => `${text(one)}\n`);

test('an index says when and where the records of a frame happened, and which ids they have', () => {
  const index = indexOf(...lines);
  assert.deepEqual(
    index.resources,
    [begin, second].map(({ resource }) => JSON.stringify(resource)),
  );
  const [frame] = index.frames;
  assert.ok(frame);
  const { ids, parents, ...rest } = frame;
  assert.deepEqual(rest, {
    ...PLACE,
    textBytes: Buffer.byteLength(lines.join('')),
    lines: 3,
    isOurs: true,
    onlyExecs: false,
    first: begin.timestamp,
    last: second.timestamp,
    resources: [0, 1],
  });
  const beginning = (id: unknown, bits: number) =>
    Number.parseInt(`${id}`.slice(0, 8), 16) >>> (32 - bits);
  const expected = [begin, first, second].map(({ id }) => beginning(id, ids.bits));
  assert.deepEqual(
    [...valuesOf(ids)],
    expected.sort((a, b) => a - b),
  );
  assert.deepEqual([...valuesOf(parents)], [beginning(parent, parents.bits)]);
});

test('the index is the same however the lines are cut into pieces', () => {
  assert.deepEqual(indexOf(...lines), indexOf(lines.join('')));
});

test('the content of an index’s file is read as it was written', () => {
  const index = indexOf(...lines);
  assert.deepEqual(decodeIndex(encodeIndex(index)), index);
});

test('a frame with anything but whole lines of the agent says so', () => {
  const sound = lines.join('');
  assert.ok(frameOf(sound).isOurs);
  const { id } = draft(5, 'exec', undefined, {});
  const others = {
    'no JSON': 'one\n',
    'a blank line': '\n',
    'a torn line at the end': lines[1]?.slice(0, -1),
    'a torn line before another one': `${lines[1]?.slice(0, 300)}${lines[2]}`,
    zeros: '\0'.repeat(400),
    'zeros within a line': `${lines[1]?.slice(0, 500)}\0${lines[1]?.slice(501)}`,
    'an id in capitals': lines[1]?.replace(/"id":"\w{8}/, `"id":"ABCDEF12`),
    'an id of another form': lines[1]?.replace(/"id":"[^"]*"/, '"id":"of-nothing"'),
    'a time before 2001': lines[1]?.replace(/"timestamp":\d/, '"timestamp":'),
    'a record of another program': `{"id":"${id}","timestamp":1,"object":"x"}\n`,
    'a cause of another form': lines[2]?.replace(/"parent_cause":"/, '"parent_cause":"x'),
    'white space': lines[1]?.replace('{"id":', '{ "id":'),
  };
  for (const [what, line = ''] of Object.entries(others))
    assert.ok(!frameOf(sound, line).isOurs, what);
});

test('resources that are too long or too many are not listed, and their frame says so', () => {
  const of = (name: string) => `${text({ ...first, resource: { 'host.name': name } })}\n`;
  assert.equal(frameOf(of('x'.repeat(20_000))).resources, undefined);
  const seeded = createSeeded(1);
  const id = () => Array.from({ length: 8 }, () => seeded.below(2 ** 32).toString(16)).join('');
  const many = Array.from({ length: 5000 }, () => of(id()));
  assert.equal(frameOf(...many).resources, undefined);
  assert.equal(indexOf(...many).resources.length, 4096);
  assert.deepEqual(frameOf(of('a'), of('b'), of('a')).resources, [0, 1]);
  const long = Array.from({ length: 400 }, () => of(`${id()}${'x'.repeat(15_000)}`));
  const { resources } = indexOf(...long);
  const bytes = Buffer.byteLength(resources.join(''));
  assert.ok(bytes <= 4 << 20 && bytes > 4_000_000, `${bytes} bytes`);
  // Names that differ in a few bytes only, as somebody may choose them, cost little time.
  const alike = Array.from({ length: 5000 }, (_, n) =>
    of(`${'x'.repeat(n % 70)}-${n}${'y'.repeat(2000)}`),
  );
  assert.equal(frameOf(...alike).resources, undefined);
});

function decoded(content: Buffer) {
  try {
    return decodeIndex(content);
  } catch {
    return undefined;
  }
}

test('the content of an index’s file that is damaged, or of another version, is refused', () => {
  const index = indexOf(...lines);
  const whole = encodeIndex(index);
  for (let at = 0; at < whole.length; at += 1) {
    const changed = Buffer.from(whole);
    changed[at] = (changed[at] ?? 0) ^ 0x20;
    // Some bits of zstd mean nothing.
    assert.deepEqual(decoded(changed) ?? index, index, `byte ${at}`);
    assert.throws(() => decodeIndex(whole.subarray(0, at)), `cut at ${at}`);
  }
  const next = JSON.stringify({ version: 2, resources: [], frames: [] });
  assert.throws(() => decodeIndex(zstdCompressSync(next)), /version/);
});
