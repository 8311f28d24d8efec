import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';
import type { Json, JsonObject } from '../../record/exact-json.ts';

/** What a field of a message of log records is made from. */
type Value = bigint | number | Uint8Array;
type Fields = ReadonlyMap<number, readonly Value[]>;

const UTF_8 = new TextDecoder('utf-8', { ignoreBOM: true });
/** Values within values; nobody sends as many. */
const DEPTH_MAX = 32;

/**
 * Yields what a message LogsData or ExportLogsServiceRequest has for each resource, in OTLP's JSON
 * form; undefined stands for what is no log records. Throws where the message is damaged. The numbers
 * of fields are those of opentelemetry/proto.
 */
export function* resourceLogsIn(message: Uint8Array): Generator<Json | undefined> {
  const reader = new BinaryReader(message);
  while (reader.pos < reader.len) {
    const [number, wireType] = reader.tag();
    if (number === 1 && wireType === WireType.LengthDelimited)
      yield resourceLogs(fieldsOf(reader.bytes()));
    else reader.skip(wireType, number);
  }
}

function resourceLogs(fields: Fields): Json | undefined {
  const logRecords: Json[] = [];
  for (const scope of messages(fields, 2))
    for (const record of messages(scope, 2)) {
      // In the place of the time, spans and metrics have something else.
      if (record.get(1)?.some((one) => typeof one !== 'bigint')) return undefined;
      logRecords.push(logRecord(record));
    }
  const attributes = attributesOf(messages(fields, 1)[0], 1);
  return { resource: { attributes }, scopeLogs: [{ logRecords }] };
}

function logRecord(fields: Fields): JsonObject {
  const eventName = text(fields, 12);
  return {
    timeUnixNano: `${fields.get(1)?.at(-1) ?? 0}`,
    ...(eventName !== '' && { eventName }),
    attributes: attributesOf(fields, 6),
  };
}

function attributesOf(fields: Fields | undefined, number: number): Json[] {
  if (fields === undefined) return [];
  return messages(fields, number).map((one) => ({
    key: text(one, 1),
    value: anyValue(messages(one, 2).at(-1), 0),
  }));
}

function anyValue(fields: Fields | undefined, depth: number): Json {
  if (depth > DEPTH_MAX) throw new Error(`values within values, deeper than ${DEPTH_MAX}`);
  const [number, values] = [...(fields ?? [])].at(-1) ?? [];
  const value = values?.at(-1);
  if (value === undefined || fields === undefined) return {};
  if (number === 1) return { stringValue: text(fields, 1) };
  if (number === 2) return { boolValue: value !== 0n };
  if (number === 3 && typeof value === 'bigint') return { intValue: `${BigInt.asIntN(64, value)}` };
  if (number === 4 && typeof value === 'bigint') return { doubleValue: doubleOf(value) };
  if (number !== 5) return {};
  const items = messages(messages(fields, 5).at(-1) ?? new Map(), 1);
  return { arrayValue: { values: items.map((item) => anyValue(item, depth + 1)) } };
}

/** Makes a double from its bits; JSON has no number for some. */
function doubleOf(bits: bigint): Json {
  const view = new DataView(new ArrayBuffer(8));
  view.setBigUint64(0, bits);
  const value = view.getFloat64(0);
  return Number.isFinite(value) ? value : `${value}`;
}

function messages(fields: Fields, number: number): Fields[] {
  const values = fields.get(number) ?? [];
  return values.flatMap((value) => (value instanceof Uint8Array ? [fieldsOf(value)] : []));
}

function text(fields: Fields, number: number): string {
  const value = fields.get(number)?.at(-1);
  return value instanceof Uint8Array ? UTF_8.decode(value) : '';
}

/** Reads a message without knowing it. */
function fieldsOf(bytes: Uint8Array): Fields {
  const fields = new Map<number, Value[]>();
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const [number, wireType] = reader.tag();
    const value = valueIn(reader, number, wireType);
    const values = fields.get(number);
    if (values === undefined) fields.set(number, [value]);
    else values.push(value);
  }
  return fields;
}

function valueIn(reader: BinaryReader, number: number, wireType: WireType): Value {
  if (wireType === WireType.LengthDelimited) return reader.bytes();
  if (wireType === WireType.Varint) return BigInt(reader.uint64());
  if (wireType === WireType.Bit64) return BigInt(reader.fixed64());
  if (wireType === WireType.Bit32) return reader.fixed32();
  throw new Error(`the field ${number} is a group`);
}
