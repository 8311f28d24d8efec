import assert from 'node:assert/strict';
import { isUtf8 } from 'node:buffer';
import { randomBytes, randomInt } from 'node:crypto';
import { test } from 'node:test';
import { textOf } from '../../record/kernel-text.ts';
import { timesAsLong } from '../support/growth.ts';

const text = (bytes: Buffer) => textOf(bytes, 0, bytes.length);

/** The way back, as docs/record.md describes it. */
function bytesOf(escaped: string): Buffer {
  const parts = escaped.split(/(\\x[0-9a-f]{2}|\\\\)/);
  return Buffer.concat(
    parts.map((part) => {
      if (part === '\\\\') return Buffer.from('\\');
      if (part.startsWith('\\x')) return Buffer.from(part.slice(2), 'hex');
      assert.ok(!part.includes('\\'), `a lone backslash in ${escaped}`);
      return Buffer.from(part);
    }),
  );
}

test('every single byte becomes itself, a doubled backslash or \\xHH', () => {
  for (let byte = 0; byte < 256; byte++) {
    const hex = byte.toString(16).padStart(2, '0');
    const expected = byte === 0x5c ? '\\\\' : byte < 0x80 ? String.fromCharCode(byte) : `\\x${hex}`;
    assert.equal(text(Buffer.from([byte])), expected);
    assert.equal(text(Buffer.from([0x61, byte, 0x62])), `a${expected}b`);
  }
});

const CASES: readonly [what: string, hex: string, expected: string][] = [
  ['nothing', '', ''],
  ['two bytes', 'c3a9', 'é'],
  ['three bytes', 'e282ac', '€'],
  ['four bytes', 'f09f9880', '😀'],
  ['the last code point', 'f48fbfbf', '\u{10ffff}'],
  ['a byte-order mark', 'efbbbf61', '\ufeffa'],
  ['U+2028 and U+0085', 'e280a8c285', '\u2028\u0085'],
  ['valid text with a backslash', 'c3a95c78', 'é\\\\x'],
  ['what looks like an escape', '5c786666', '\\\\xff'],
  ['two bytes, cut', 'c3', '\\xc3'],
  ['three bytes, cut', 'e282', '\\xe2\\x82'],
  ['four bytes, cut', 'f09f98', '\\xf0\\x9f\\x98'],
  ['cut in the middle', 'e28261', '\\xe2\\x82a'],
  ['a continuation alone', '80', '\\x80'],
  ['valid between invalid', 'ffc3a9fe5c', '\\xffé\\xfe\\\\'],
  ['overlong slash', 'c0af', '\\xc0\\xaf'],
  ['overlong in three bytes', 'e08080', '\\xe0\\x80\\x80'],
  ['overlong in four bytes', 'f0808080', '\\xf0\\x80\\x80\\x80'],
  ['a high surrogate', 'eda080', '\\xed\\xa0\\x80'],
  ['a low surrogate', 'edbfbf', '\\xed\\xbf\\xbf'],
  ['a pair of surrogates (CESU-8)', 'eda0bdedb880', '\\xed\\xa0\\xbd\\xed\\xb8\\x80'],
  ['beyond the last code point', 'f4908080', '\\xf4\\x90\\x80\\x80'],
  ['five bytes', 'f888808080', '\\xf8\\x88\\x80\\x80\\x80'],
];

for (const [what, hex, expected] of CASES)
  test(`text: ${what}`, () => {
    const bytes = Buffer.from(hex, 'hex');
    assert.equal(text(bytes), expected);
    assert.deepEqual(bytesOf(expected), bytes);
    const within = Buffer.concat([Buffer.from('<'), bytes, Buffer.from('>')]);
    assert.equal(textOf(within, 1, 1 + bytes.length), expected, 'bytes around it do not matter');
  });

/** What docs/record.md says, one sequence after the other, by Node's judgement of each. */
function referenceText(bytes: Buffer): string {
  let text = '';
  for (let at = 0; at < bytes.length; ) {
    const length = [1, 2, 3, 4].find((length) => isUtf8(bytes.subarray(at, at + length))) ?? 0;
    const isWhole = length > 0 && at + length <= bytes.length;
    const sequence = bytes.toString('utf8', at, at + length);
    if (!isWhole) text += `\\x${bytes.toString('hex', at, at + 1)}`;
    else text += sequence === '\\' ? '\\\\' : sequence;
    at += isWhole ? length : 1;
  }
  return text;
}

test('any bytes have a well-formed text from which they can be restored, the one of the rule', () => {
  const pieces = CASES.map(([, hex]) => Buffer.from(hex, 'hex'));
  const plain = Buffer.alloc(200, 'plain');
  for (let round = 0; round < 20_000; round++) {
    const bytes = Buffer.concat(
      Array.from({ length: randomInt(6) }, () =>
        randomInt(2) === 0 ? randomBytes(randomInt(5)) : (pieces[randomInt(pieces.length)] ?? ''),
      ).map((piece) => Buffer.from(piece)),
    );
    const escaped = text(bytes);
    assert.deepEqual(bytesOf(escaped), bytes, bytes.toString('hex'));
    assert.ok(escaped.isWellFormed(), bytes.toString('hex'));
    assert.equal(escaped, referenceText(bytes), bytes.toString('hex'));
    const long = text(Buffer.concat([plain, bytes]));
    assert.equal(long, `${plain}${escaped}`, `after a long text: ${bytes.toString('hex')}`);
  }
});

test('all sequences of two bytes, and those of four at the borders, have the text of the rule', () => {
  const borders = Buffer.from('005c617f808f909fa0bfc1c2dfe0e1ecedeeeff0f1f3f4f5ff', 'hex');
  for (let n = 0; n < 65_536; n++) {
    const bytes = Buffer.from([n >> 8, n & 255]);
    assert.equal(text(bytes), referenceText(bytes), bytes.toString('hex'));
  }
  for (const first of borders)
    for (const second of borders)
      for (const third of borders)
        for (const fourth of borders) {
          const bytes = Buffer.from([first, second, third, fourth]);
          assert.equal(text(bytes), referenceText(bytes), bytes.toString('hex'));
        }
});

const LENGTH = 8192;
/** Bytes that anybody may put into a name, over and over. */
const HOSTILE = ['ff', 'ff61', '5c', 'c3', 'e282', 'f09f98', 'c3a9ff', 'f09f9880ff', 'eda080'];
const repeated = (hex: string, length = LENGTH) => Buffer.alloc(length, Buffer.from(hex, 'hex'));

for (const hex of HOSTILE)
  test(`the time for ${hex}, over and over, grows with its length`, () =>
    checkGrowth(repeated(hex), repeated(hex, 4 * LENGTH)));

test('the time for one invalid byte at the end of a long text grows with its length', () => {
  const hostile = (length: number) => repeated('61', length).fill(0xff, length - 1);
  checkGrowth(hostile(LENGTH), hostile(4 * LENGTH));
});

/** Checks that four times the bytes do not take as long as a square would, sixteen times. */
function checkGrowth(bytes: Buffer, long: Buffer): void {
  const times = timesAsLong(
    () => text(long),
    () => text(bytes),
    9,
  );
  assert.ok(times < 9, `four times the bytes take ${times} times as long`);
}
