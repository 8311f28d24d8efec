import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';

/** How a value is read, and the wire type that it must have. */
export interface Read<T> {
  readonly wireType: WireType;
  /** Reads the value at the reader's position; throws if it is truncated or damaged. */
  next(reader: BinaryReader): T;
}

/** Reads a field's value and puts it where it belongs. */
interface Field {
  readonly wireType: WireType;
  /** `nth`: how often the field has occurred in the message before */
  next(reader: BinaryReader, target: Record<string, unknown>, nth: number): void;
}

export const text: Read<string> = {
  wireType: WireType.LengthDelimited,
  next: (reader) => reader.string(),
};
/** Any integer, rounded beyond 2^53. */
export const number: Read<number> = {
  wireType: WireType.Varint,
  next: (reader) => Number(reader.int64()),
};
export const boolean: Read<boolean> = {
  wireType: WireType.Varint,
  next: (reader) => reader.bool(),
};
export const bytes: Read<Uint8Array> = {
  wireType: WireType.LengthDelimited,
  next: (reader) => reader.bytes(),
};

/** A message of type T, whose fields are described by their numbers; it skips all other fields. */
export function message<T extends object>(fields: Readonly<Record<number, Field>>): Read<T> {
  return {
    wireType: WireType.LengthDelimited,
    next: (reader) => readMessage(new BinaryReader(reader.bytes()), fields) as T,
  };
}

/** A field that occurs once; if it is repeated, the last one counts. */
export function one(name: string, read: Read<unknown>): Field {
  return {
    wireType: read.wireType,
    next(reader, target) {
      target[name] = read.next(reader);
    },
  };
}

/** A repeated field; undefined if it does not occur. */
export function many(name: string, read: Read<unknown>): Field {
  return {
    wireType: read.wireType,
    next(reader, target) {
      const list = (target[name] ?? []) as unknown[];
      list.push(read.next(reader));
      target[name] = list;
    },
  };
}

/** The bytes that the occurrences of several fields may take, in whichever messages. */
export interface Room {
  /** the bytes of all that is yet to come */
  left: number;
  /** the bytes of the longest one */
  readonly longest: number;
}

/** What an occurrence takes of the room beside its own bytes. */
const OVERHEAD = 32;

/**
 * A repeated field of texts or messages that share room with those of other fields; null: one of them
 * was too long, or there was no room for all. What has no room is skipped without being decoded.
 */
export function manyIn(room: Room, name: string, read: Read<unknown>): Field {
  const field = many(name, read);
  return {
    wireType: read.wireType,
    next(reader, target, nth) {
      const length = nextLength(reader);
      const isKept = target[name] !== null && length <= room.longest;
      if (isKept) room.left -= length + OVERHEAD;
      if (isKept && room.left >= 0) field.next(reader, target, nth);
      else {
        reader.skip(read.wireType);
        target[name] = null;
      }
    },
  };
}

/** Returns the length of the text or message at the reader's position, and stays there. */
function nextLength(reader: BinaryReader): number {
  const at = reader.pos;
  const length = reader.uint32();
  reader.pos = at;
  return length;
}

/** A field whose first occurrences are read; what follows is skipped. */
export function atMost(max: number, field: Field): Field {
  return {
    wireType: field.wireType,
    next(reader, target, nth) {
      if (nth < max) field.next(reader, target, nth);
      else reader.skip(field.wireType);
    },
  };
}

/** A map from strings to strings. */
export function map(name: string): Field {
  const entry = message<{ key?: string; value?: string }>({
    1: one('key', text),
    2: one('value', text),
  });
  return {
    wireType: entry.wireType,
    next(reader, target) {
      const { key = '', value = '' } = entry.next(reader);
      const entries = (target[name] ?? {}) as Record<string, string>;
      entries[key] = value;
      target[name] = entries;
    },
  };
}

/** A message whose fields count as the outer message's own. */
export function inline(read: Read<object>): Field {
  return {
    wireType: read.wireType,
    next(reader, target) {
      Object.assign(target, read.next(reader));
    },
  };
}

/**
 * Makes a function that reads a whole buffer as this message; it throws where the buffer is
 * damaged.
 */
export function reader<T extends object>(
  fields: Readonly<Record<number, Field>>,
): (buffer: Uint8Array) => T {
  return (buffer) => readMessage(new BinaryReader(buffer), fields) as T;
}

/**
 * Reads to the end; a field of another wire type than expected is unknown, as the specification
 * says.
 */
function readMessage(
  reader: BinaryReader,
  fields: Readonly<Record<number, Field>>,
): Record<string, unknown> {
  const target: Record<string, unknown> = {};
  const seen: number[] = [];
  while (reader.pos < reader.len) {
    const [number, wireType] = reader.tag();
    const field = fields[number];
    if (field?.wireType === wireType) {
      const nth = seen[number] ?? 0;
      field.next(reader, target, nth);
      seen[number] = nth + 1;
    } else reader.skip(wireType, number);
  }
  return target;
}
