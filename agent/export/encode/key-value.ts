import type { LineReader } from '../../../record/line/reader.ts';
import {
  HEAD_MAX,
  type ProtobufWriter,
  putBytes,
  putVarint,
  utf8Length,
  varintLength,
} from './protobuf-writer.ts';

/** Field numbers and wire types: opentelemetry/proto/common/v1. */
const KEY_VALUE = { key: 0x0a, value: 0x12 };
export const ANY_VALUE = { string: 0x0a, bool: 0x10, int: 0x18, array: 0x2a };
const ARRAY_VALUE = { values: 0x0a };

const [QUOTE, OPEN, CLOSE, COLON, COMMA] = [0x22, 0x5b, 0x5d, 0x3a, 0x2c];
const [ZERO, NINE] = [0x30, 0x39];
/** The tags and lengths of a KeyValue, and the value if it is a number. */
const HEADS_MAX = 5 * HEAD_MAX;
const TRUE = Buffer.from('true');
const FALSE = Buffer.from('false');

/**
 * Reads a member of a JSON object and writes it as a KeyValue field with this tag. A journal has
 * values of these types: strings, booleans, whole numbers from 0 to 2^53, and arrays of them.
 */
export function copyMember(line: LineReader, writer: ProtobufWriter, tag: number): void {
  line.string();
  const { start, end } = line;
  if (line.isPlain) {
    line.expectByte(COLON);
    copyValue(line, writer, tag, line.bytes, start, end);
  } else copyOddMember(line, writer, tag, line.text);
}

/**
 * Reads a JSON value and writes it as a KeyValue field with this tag; the key is printable ASCII.
 */
export function copyValue(
  line: LineReader,
  writer: ProtobufWriter,
  tag: number,
  key: Buffer,
  from = 0,
  to = key.length,
): void {
  const { next } = line;
  if (next === QUOTE) {
    line.string();
    if (line.isPlain) writeText(writer, tag, key, from, to, line.bytes, line.start, line.end);
    else {
      const { text } = line;
      const length = utf8Length(text);
      writer.room(HEADS_MAX + to - from);
      writer.wrote(putHead(writer, tag, key, from, to, 1 + varintLength(length) + length));
      writer.string(ANY_VALUE.string, text, length);
    }
  } else if (next >= ZERO && next <= NINE) {
    writeCount(writer, tag, key, line.count(), from, to);
  } else {
    const start = writer.begin(tag);
    writer.copy(KEY_VALUE.key, key, from, to);
    copyAnyValue(line, writer, KEY_VALUE.value);
    writer.end(start);
  }
}

/** Writes a whole number from 0 to 2^53 as an attribute. */
export function writeCount(
  writer: ProtobufWriter,
  tag: number,
  key: Buffer,
  value: number,
  from = 0,
  to = key.length,
): void {
  const bytes = writer.room(HEADS_MAX + to - from);
  const at = putHead(writer, tag, key, from, to, 1 + varintLength(value));
  bytes[at] = ANY_VALUE.int;
  writer.wrote(putVarint(bytes, at + 1, value));
}

/** Writes an attribute whose value is the UTF-8 between two positions. */
function writeText(
  writer: ProtobufWriter,
  tag: number,
  key: Buffer,
  keyFrom: number,
  keyTo: number,
  text: Buffer,
  from: number,
  to: number,
): void {
  const length = to - from;
  const bytes = writer.room(HEADS_MAX + keyTo - keyFrom + length);
  const head = putHead(writer, tag, key, keyFrom, keyTo, 1 + varintLength(length) + length);
  bytes[head] = ANY_VALUE.string;
  const at = putVarint(bytes, head + 1, length);
  writer.wrote(putBytes(bytes, at, text, from, to));
}

function copyOddMember(line: LineReader, writer: ProtobufWriter, tag: number, key: string): void {
  line.expectByte(COLON);
  const start = writer.begin(tag);
  writer.string(KEY_VALUE.key, key);
  copyAnyValue(line, writer, KEY_VALUE.value);
  writer.end(start);
}

/**
 * Writes a KeyValue up to the content of its AnyValue, which has this length, where the writer has room;
 * returns the position behind it. The lengths are known, so that nothing is moved later.
 */
function putHead(
  writer: ProtobufWriter,
  tag: number,
  key: Buffer,
  from: number,
  to: number,
  length: number,
): number {
  const bytes = writer.room(0);
  const start = writer.length;
  const keyLength = to - from;
  const whole = 2 + varintLength(keyLength) + keyLength + varintLength(length) + length;
  bytes[start] = tag;
  let at = putVarint(bytes, start + 1, whole);
  bytes[at] = KEY_VALUE.key;
  at = putVarint(bytes, at + 1, keyLength);
  at = putBytes(bytes, at, key, from, to);
  bytes[at] = KEY_VALUE.value;
  return putVarint(bytes, at + 1, length);
}

function copyAnyValue(line: LineReader, writer: ProtobufWriter, tag: number): void {
  if (line.next === QUOTE) {
    copyAnyString(line, writer, tag);
    return;
  }
  const start = writer.begin(tag);
  if (line.takes(OPEN)) {
    const array = writer.begin(ANY_VALUE.array);
    if (!line.takes(CLOSE)) {
      do copyAnyValue(line, writer, ARRAY_VALUE.values);
      while (line.takes(COMMA));
      line.expectByte(CLOSE);
    }
    writer.end(array);
  } else if (line.isAt(TRUE)) {
    line.expect(TRUE);
    writer.varint(ANY_VALUE.bool, 1);
  } else if (line.isAt(FALSE)) {
    line.expect(FALSE);
    writer.varint(ANY_VALUE.bool, 0);
  } else writer.varint(ANY_VALUE.int, line.count());
  writer.end(start);
}

function copyAnyString(line: LineReader, writer: ProtobufWriter, tag: number): void {
  line.string();
  if (line.isPlain) {
    const { bytes, start, end } = line;
    writer.varint(tag, 1 + varintLength(end - start) + end - start);
    writer.copy(ANY_VALUE.string, bytes, start, end);
  } else {
    const { text } = line;
    const length = utf8Length(text);
    writer.varint(tag, 1 + varintLength(length) + length);
    writer.string(ANY_VALUE.string, text, length);
  }
}
