/** Reads one value: a varint or a fixed one as a number, else the bytes. */
export type Read<T> = (value: Uint8Array | number) => T;
/** Puts a field's value where it belongs. */
type Field = (target: Record<string, unknown>, value: Uint8Array | number) => void;

/** Wire types: https://protobuf.dev/programming-guides/encoding */
const VARINT = 0;
const FIXED64 = 1;
const LENGTH = 2;
const FIXED32 = 5;

export const text: Read<string> = (value) =>
  typeof value === 'number' ? `${value}` : Buffer.from(value).toString();
export const number: Read<number> = (value) => (typeof value === 'number' ? value : Number.NaN);
export const boolean: Read<boolean> = (value) => value === 1;
export const bytes: Read<Uint8Array> = (value) =>
  typeof value === 'number' ? new Uint8Array() : value;

/** A message of which these fields are read, by their numbers; the others are passed over. */
export function message(fields: Readonly<Record<number, Field>>): Read<Record<string, unknown>> {
  return (value) => {
    const target: Record<string, unknown> = {};
    for (const [number, content] of fieldsOf(bytes(value))) fields[number]?.(target, content);
    return target;
  };
}

export function one(name: string, read: Read<unknown>): Field {
  return (target, value) => {
    target[name] = read(value);
  };
}

export function many(name: string, read: Read<unknown>): Field {
  return (target, value) => {
    const list = (target[name] ?? []) as unknown[];
    list.push(read(value));
    target[name] = list;
  };
}

/** Of strings by strings. */
export function map(name: string): Field {
  const entry = message({ 1: one('key', text), 2: one('value', text) });
  return (target, value) => {
    const { key = '', value: content = '' } = entry(value) as { key?: string; value?: string };
    const entries = (target[name] ?? {}) as Record<string, string>;
    entries[key] = content;
    target[name] = entries;
  };
}

/** A message whose fields count as the outer one's. */
export function inline(read: Read<object>): Field {
  return (target, value) => {
    Object.assign(target, read(value));
  };
}

/** Throws where the message is cut or damaged. */
function* fieldsOf(message: Uint8Array): Generator<[number, Uint8Array | number]> {
  let at = 0;
  function varint(): number {
    let value = 0;
    for (let factor = 1; ; factor *= 0x80) {
      const byte = message[at++];
      if (byte === undefined) throw new RangeError('a message that is cut');
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
    }
  }
  while (at < message.length) {
    const tag = varint();
    const number = Math.floor(tag / 8);
    const type = tag % 8;
    if (type === VARINT) yield [number, varint()];
    else {
      const length = type === LENGTH ? varint() : { [FIXED64]: 8, [FIXED32]: 4 }[type];
      if (length === undefined || at + length > message.length)
        throw new RangeError('a message that is damaged');
      yield [number, message.subarray(at, at + length)];
      at += length;
    }
  }
}
