import type { LineReader } from '../../../record/line/reader.ts';
import { type ProtobufWriter, utf8Length, varintLength } from './protobuf-writer.ts';

/** Field numbers and wire types: opentelemetry/proto/common/v1. */
const KEY_VALUE = { key: 0x0a, value: 0x12 };
export const ANY_VALUE = { string: 0x0a, bool: 0x10, int: 0x18, array: 0x2a };
const ARRAY_VALUE = { values: 0x0a };

const [QUOTE, OPEN, CLOSE, COLON, COMMA] = [0x22, 0x5b, 0x5d, 0x3a, 0x2c];
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
  if (line.next === QUOTE) {
    line.string();
    if (line.isPlain) {
      const length = line.end - line.start;
      writeHead(writer, tag, key, from, to, 1 + varintLength(length) + length);
      writer.copy(ANY_VALUE.string, line.bytes, line.start, line.end);
    } else {
      const { text } = line;
      const length = utf8Length(text);
      writeHead(writer, tag, key, from, to, 1 + varintLength(length) + length);
      writer.string(ANY_VALUE.string, text, length);
    }
  } else {
    const start = writer.begin(tag);
    writer.copy(KEY_VALUE.key, key, from, to);
    copyAnyValue(line, writer, KEY_VALUE.value);
    writer.end(start);
  }
}

/** Writes a whole number from 0 to 2^53 as an attribute. */
export function writeCount(writer: ProtobufWriter, tag: number, key: Buffer, value: number): void {
  writeHead(writer, tag, key, 0, key.length, 1 + varintLength(value));
  writer.varint(ANY_VALUE.int, value);
}

function copyOddMember(line: LineReader, writer: ProtobufWriter, tag: number, key: string): void {
  line.expectByte(COLON);
  const start = writer.begin(tag);
  writer.string(KEY_VALUE.key, key);
  copyAnyValue(line, writer, KEY_VALUE.value);
  writer.end(start);
}

/** Writes a KeyValue up to the content of its AnyValue, which has this length. */
function writeHead(
  writer: ProtobufWriter,
  tag: number,
  key: Buffer,
  from: number,
  to: number,
  length: number,
): void {
  const keyLength = 1 + varintLength(to - from) + to - from;
  writer.varint(tag, keyLength + 1 + varintLength(length) + length);
  writer.copy(KEY_VALUE.key, key, from, to);
  writer.varint(KEY_VALUE.value, length);
}

function copyAnyValue(line: LineReader, writer: ProtobufWriter, tag: number): void {
  const start = writer.begin(tag);
  if (line.next === QUOTE) {
    line.string();
    if (line.isPlain) writer.copy(ANY_VALUE.string, line.bytes, line.start, line.end);
    else writer.string(ANY_VALUE.string, line.text);
  } else if (line.takes(OPEN)) {
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
