import {
  ARRAY,
  ARRAY_END,
  BACKSLASH,
  COMMA,
  JsonInput,
  OBJECT,
  OBJECT_END,
  QUOTE,
  SCALAR_MAX,
} from './json-input.ts';
import type { Apart, Elements, Leaf, Members, Shape } from './json-shape.ts';

/** A value, and whether a part of it did not fit into the bounds. */
export interface Sieved {
  readonly value: unknown;
  readonly isCut: boolean;
}

/** The bytes that a value, or an element of a stream, may take in memory; optional ones count extra. */
const ROOM = 64 << 10;
const OPTIONAL_ROOM = 16 << 10;
/** What values apart may take of it together. */
const APART_ROOM = 256 << 10;
/** What a value takes beside its text. */
const OVERHEAD = 32;
const KEY_MAX = 512;
const KEY: Leaf = { kind: 'leaf', maxBytes: KEY_MAX, isOptional: true };

const COLON = 0x3a;
const SPACE = Buffer.from(' ');

/** Reads a value of JSON; yields when it needs the next piece. */
type Reading<T> = Generator<undefined, T, undefined>;

/**
 * Reads JSON in pieces and keeps only the parts that a shape names, so that its memory is bounded
 * whatever the JSON contains. What it skips it does not check.
 */
export class JsonSieve {
  readonly #shape: Shape;
  readonly #onElement: (element: Sieved) => void;
  #input = new JsonInput();
  #reading: Reading<never>;
  #value: unknown;
  /** Whether what was read is no JSON. */
  isBroken = false;
  #isCut = false;
  #room = ROOM;
  #optionalRoom = OPTIONAL_ROOM;
  #apartRoom = APART_ROOM;

  /** `onElement` receives the elements of a streamed array. */
  constructor(shape: Shape, onElement: (element: Sieved) => void = () => {}) {
    this.#shape = shape;
    this.#onElement = onElement;
    this.#reading = this.#whole();
  }

  /** Reads the next piece of the JSON text. */
  write(piece: Buffer): void {
    if (this.isBroken) return;
    this.#input.push(piece);
    try {
      this.#reading.next();
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      this.isBroken = true;
    }
  }

  /** Ends the text and begins with a new one; undefined: it was no JSON, or nothing of the shape. */
  end(): Sieved | undefined {
    // A number ends only with what follows it.
    this.write(SPACE);
    const sieved = { value: this.#value, isCut: this.#isCut };
    const isSound = !this.isBroken && sieved.value !== undefined;
    this.#input = new JsonInput();
    this.#reading = this.#whole();
    this.#value = undefined;
    this.isBroken = false;
    this.#begin();
    return isSound ? sieved : undefined;
  }

  #begin(): void {
    this.#isCut = false;
    this.#room = ROOM;
    this.#optionalRoom = OPTIONAL_ROOM;
    this.#apartRoom = APART_ROOM;
  }

  *#whole(): Reading<never> {
    this.#value = yield* this.#read(this.#shape);
    for (;;) {
      if (this.#input.peek() !== undefined) throw new SyntaxError('a second value');
      yield;
    }
  }

  /** Reads a value; undefined: it is not kept. `keyBytes`: what its key takes. */
  *#read(shape: Shape | undefined, keyBytes = 0): Reading<unknown> {
    if (shape?.kind === 'apart') return yield* this.#apart(shape);
    const byte = this.#input.peek() ?? (yield* this.#next());
    if (byte === OBJECT || byte === ARRAY) {
      if (byte === OBJECT && shape?.kind === 'members' && this.#takes(keyBytes))
        return yield* this.#object(shape);
      if (byte === ARRAY && shape?.kind === 'elements' && this.#takes(keyBytes))
        return yield* this.#array(shape);
      while (!this.#input.skip()) yield;
      return undefined;
    }
    const leaf = shape?.kind === 'leaf' ? shape : undefined;
    const json = yield* byte === QUOTE ? this.#text(leaf) : this.#scalar();
    if (leaf === undefined) return undefined;
    if (leaf.part !== undefined) return this.#part(leaf.part(json?.toString('latin1') ?? ''));
    if (json === undefined || !this.#takes(json.length + keyBytes, leaf.isOptional)) {
      if (!leaf.isOptional) this.#isCut = true;
      return undefined;
    }
    return byte === QUOTE ? textOf(json) : JSON.parse(json.toString());
  }

  *#object(shape: Members): Reading<object> {
    const object: Record<string, unknown> = {};
    const input = this.#input;
    input.take(OBJECT);
    let byte = input.peek() ?? (yield* this.#next());
    while (byte !== OBJECT_END) {
      let key = byte === QUOTE ? input.plainText(KEY_MAX) : undefined;
      let keyBytes = key?.length;
      if (key === undefined) {
        const json = yield* this.#text(KEY);
        key = json && textOf(json);
        keyBytes = json?.length;
      }
      input.peek() ?? (yield* this.#next());
      input.take(COLON);
      input.peek() ?? (yield* this.#next());
      const shapeOfValue = key === undefined ? undefined : shape.of(key);
      if (shapeOfValue !== undefined || !input.skipPlain()) {
        const value = yield* this.#read(shapeOfValue, keyBytes);
        if (key !== undefined && value !== undefined) object[key] = value;
      }
      byte = input.nextPart(OBJECT_END) ?? (yield* this.#afterPart(OBJECT_END));
    }
    input.take(OBJECT_END);
    return object;
  }

  *#array({ of, isStreamed }: Elements): Reading<readonly unknown[]> {
    const array: unknown[] = [];
    const input = this.#input;
    input.take(ARRAY);
    let byte = input.peek() ?? (yield* this.#next());
    while (byte !== ARRAY_END) {
      if (isStreamed) this.#begin();
      else if (this.#room < OVERHEAD) return yield* this.#cutArray(array);
      const value = yield* this.#read(of);
      if (value !== undefined && isStreamed) this.#onElement({ value, isCut: this.#isCut });
      else if (value !== undefined) array.push(value);
      byte = input.nextPart(ARRAY_END) ?? (yield* this.#afterPart(ARRAY_END));
    }
    input.take(ARRAY_END);
    return array;
  }

  /** Skips the rest of an array whose further elements have no room. */
  *#cutArray(array: readonly unknown[]): Reading<readonly unknown[]> {
    this.#isCut = true;
    this.#input.leaveArray();
    while (!this.#input.skip()) yield;
    return array;
  }

  /** Takes the comma after a part of an array or object; returns the byte that comes next. */
  *#afterPart(end: number): Reading<number> {
    const byte = this.#input.peek() ?? (yield* this.#next());
    if (byte === end) return byte;
    this.#input.take(COMMA);
    const next = this.#input.peek() ?? (yield* this.#next());
    if (next === end) throw new SyntaxError('a comma at the end');
    return next;
  }

  /**
   * Returns the JSON text between a string's quotes; undefined: it is longer than the leaf, which does
   * not keep a part of it.
   */
  *#text(leaf: Leaf | undefined): Reading<Buffer | undefined> {
    const input = this.#input;
    input.take(QUOTE);
    if (leaf === undefined) {
      while (!input.skipText()) yield;
      return undefined;
    }
    const { maxBytes, part } = leaf;
    let json = input.text();
    while (!input.isTextWhole) {
      const before = Buffer.from(json); // the piece is somebody else's after this
      yield;
      const more = input.text();
      json = before.length > maxBytes ? before : Buffer.concat([before, more]);
    }
    if (json.length <= maxBytes) return json;
    return part && json.subarray(0, maxBytes);
  }

  #part(part: string | undefined): string | undefined {
    return part !== undefined && this.#takes(part.length) ? part : undefined;
  }

  /** Reads a value in the room for those apart; null: it has no room there. */
  *#apart({ of }: Apart): Reading<unknown> {
    const [room, isCut] = [this.#room, this.#isCut];
    this.#room = this.#apartRoom;
    this.#isCut = false;
    const value = yield* this.#read(of);
    if (!this.#isCut) this.#apartRoom = this.#room;
    const kept = this.#isCut ? null : value;
    this.#room = room;
    this.#isCut = isCut;
    return kept;
  }

  *#scalar(): Reading<Buffer> {
    let json = this.#input.scalar();
    while (!this.#input.hasMore && json.length <= SCALAR_MAX) {
      const before = Buffer.from(json);
      yield;
      json = Buffer.concat([before, this.#input.scalar()]);
    }
    if (json.length === 0 || json.length > SCALAR_MAX) throw new SyntaxError('not JSON');
    return json;
  }

  /** Waits for the next byte that is no space. */
  *#next(): Reading<number> {
    for (;;) {
      yield;
      const byte = this.#input.peek();
      if (byte !== undefined) return byte;
    }
  }

  /** Takes room for a value that is kept; false: there is not enough. */
  #takes(bytes: number, isOptional = false): boolean {
    const cost = bytes + OVERHEAD;
    if (cost > (isOptional ? this.#optionalRoom : this.#room)) {
      if (!isOptional) this.#isCut = true;
      return false;
    }
    if (isOptional) this.#optionalRoom -= cost;
    else this.#room -= cost;
    return true;
  }
}

function textOf(json: Buffer): string {
  const text = json.toString();
  return json.includes(BACKSLASH) ? (JSON.parse(`"${text}"`) as string) : text;
}
