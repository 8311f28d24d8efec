import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, test } from 'node:test';
import { Block } from '../../../record/tree/block.ts';
import { Frontier } from '../../../record/tree/frontier.ts';
import { CHUNK_BYTES } from '../../../record/tree/hashes.ts';
import { Leaves, rootOfRange } from '../../../record/tree/leaves.ts';

const SIZES = Array.from({ length: 70 }, (_, size) => size);

/** The definition of RFC 6962, section 2.1, word for word. */
function treeHash(leaves: readonly Buffer[]): Buffer {
  const [only] = leaves;
  if (only === undefined) return createHash('sha256').digest();
  if (leaves.length === 1) return only;
  let half = 1;
  while (half * 2 < leaves.length) half *= 2;
  return createHash('sha256')
    .update(Buffer.of(1))
    .update(treeHash(leaves.slice(0, half)))
    .update(treeHash(leaves.slice(half)))
    .digest();
}

function leavesOf(size: number): Buffer[] {
  return Array.from({ length: size }, (_, n) => createHash('sha256').update(`${n}`).digest());
}

describe('the tree of checkpoints', () => {
  test('grows to the root of RFC 6962 at every size', () => {
    const frontier = new Frontier();
    for (const size of SIZES) {
      assert.deepEqual(frontier.root, treeHash(leavesOf(size)), `${size}`);
      const again = new Frontier(size, frontier.roots);
      assert.deepEqual(again.root, frontier.root);
      frontier.add(leavesOf(size + 1)[size] as Buffer);
    }
  });

  test('is not made of too few or too many subtrees', () => {
    const root = new Frontier().root;
    assert.throws(() => new Frontier(3, [root]), RangeError);
    assert.throws(() => new Frontier(4, [root, root]), RangeError);
    assert.throws(() => new Frontier(-1, []), RangeError);
  });

  test('gives every path of every size, also if only its last leaves are known', () => {
    const all = leavesOf(40);
    for (let before = 0; before < all.length; before++) {
      const front = new Frontier();
      for (const leaf of all.slice(0, before)) front.add(leaf);
      const leaves = new Leaves(before, front.roots);
      for (const leaf of all.slice(before)) leaves.add(leaf);
      for (let size = Math.max(1, before); size <= all.length; size++)
        assert.deepEqual(leaves.root(size), treeHash(all.slice(0, size)));
      for (let index = before; index < all.length; index++)
        for (let size = index + 1; size <= all.length; size += 3) {
          const end = Math.min(size, index + 1 + (size % 5));
          const outside = leaves.outside(index, end, size);
          const root = rootOfRange(all.slice(index, end), index, size, outside);
          assert.deepEqual(root, treeHash(all.slice(0, size)), `${before} ${index} ${end} ${size}`);
        }
    }
  });

  test('has no other leaf, place, size or hash beside some leaves', () => {
    const all = leavesOf(21);
    const leaves = new Leaves();
    for (const leaf of all) leaves.add(leaf);
    const right = leaves.root();
    const outside = leaves.outside(13, 15);
    const own = all.slice(13, 15);
    assert.deepEqual(rootOfRange(own, 13, 21, outside), right);
    assert.notDeepEqual(rootOfRange(own.toReversed(), 13, 21, outside), right);
    assert.notDeepEqual(rootOfRange(own, 12, 21, outside), right);
    assert.notDeepEqual(rootOfRange(own, 13, 16, outside), right);
    assert.equal(rootOfRange(own, 13, 21, outside.slice(1)), undefined);
    assert.equal(rootOfRange(own, 13, 21, [...outside, right]), undefined);
    assert.equal(rootOfRange(own, 20, 21, outside), undefined);
    assert.equal(rootOfRange(own, -1, 21, outside), undefined);
    assert.equal(rootOfRange([], 0, 1, [right]), undefined);
    assert.deepEqual(rootOfRange(all, 0, 21, []), right);
  });
});

describe('a block', () => {
  test('has the same root however it is cut, and its chunks end with lines', () => {
    const lines = Array.from({ length: 400 }, (_, n) => `${'x'.repeat((n * 37) % 3000)}\n`);
    lines[50] = `${'y'.repeat(3 * CHUNK_BYTES)}\n`;
    lines[51] = `${'z'.repeat(CHUNK_BYTES - 1)}\n`;
    const text = Buffer.from(lines.join(''));
    const expected = treeHash(chunksOf(lines));
    for (const part of [1, 7, 1000, 65_536, text.length]) {
      const block = new Block();
      for (let at = 0; at < text.length; at += part)
        block.add(text, at, Math.min(text.length, at + part));
      assert.equal(block.bytes, text.length);
      assert.deepEqual(block.end(), expected, `parts of ${part}`);
    }
  });

  test('begins again behind its end', () => {
    const block = new Block();
    block.add(Buffer.from('one\n'));
    const first = block.end();
    assert.equal(block.bytes, 0);
    assert.deepEqual(block.end(), treeHash([]));
    block.add(Buffer.from('two\none\n'), 4);
    assert.deepEqual(block.end(), first);
  });

  function chunksOf(lines: readonly string[]): Buffer[] {
    const chunks: string[] = [];
    let chunk = '';
    for (const line of lines) {
      chunk += line;
      if (chunk.length < CHUNK_BYTES) continue;
      chunks.push(chunk);
      chunk = '';
    }
    if (chunk !== '') chunks.push(chunk);
    return chunks.map((text) => createHash('sha256').update(Buffer.of(0)).update(text).digest());
  }
});
