import assert from 'node:assert/strict';
import { randomBytes, randomInt } from 'node:crypto';
import { test } from 'node:test';
import { textOf } from '../../record/kernel-text.ts';

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

test('any bytes have a well-formed text from which they can be restored', () => {
  const pieces = CASES.map(([, hex]) => Buffer.from(hex, 'hex'));
  for (let round = 0; round < 20_000; round++) {
    const bytes = Buffer.concat(
      Array.from({ length: randomInt(6) }, () =>
        randomInt(2) === 0 ? randomBytes(randomInt(5)) : (pieces[randomInt(pieces.length)] ?? ''),
      ).map((piece) => Buffer.from(piece)),
    );
    const escaped = text(bytes);
    assert.deepEqual(bytesOf(escaped), bytes, bytes.toString('hex'));
    assert.ok(escaped.isWellFormed(), bytes.toString('hex'));
  }
});
