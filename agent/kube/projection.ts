/**
 * The fields that are kept of a JSON value: all, or those of an object that are named. The fields of
 * an array are those of each of its elements.
 */
export type Fields = true | Each | ShortValues | NamedFields;

/** The fields of an object that are kept, and what of each. */
export interface NamedFields {
  readonly [name: string]: Fields;
}

/** An array whose elements are handed out one by one, and not kept in the document. */
export class Each {
  readonly fields: Fields;

  constructor(fields: Fields) {
    this.fields = fields;
  }
}

/** All values of an object whose JSON text has at most so many bytes. */
export class ShortValues {
  readonly maxBytes: number;

  constructor(maxBytes: number) {
    this.maxBytes = maxBytes;
  }
}

/** What receives the parts of a stream that are kept. */
export interface ProjectionOptions {
  readonly fields: Fields;
  /** Called with each element of an array that is an Each. */
  onElement?(element: unknown): void;
  /** Called with each document of the stream, without those elements. */
  onDocument(document: unknown): void;
}

/** A container that the projection is in, with what is kept of its values. */
interface Frame {
  readonly isArray: boolean;
  readonly fields: Fields;
  /** Whether a value of it has been kept, so that a comma must stand before the next. */
  hasKept: boolean;
  /** What was kept before its last value, and the comma and the key of that value. */
  lengthBefore: number;
}

type Expected = 'value' | 'key or end' | 'key' | 'colon' | 'element or end';

const [QUOTE, BACKSLASH, COMMA, COLON] = [0x22, 0x5c, 0x2c, 0x3a];
const [OPEN_OBJECT, CLOSE_OBJECT, OPEN_ARRAY, CLOSE_ARRAY] = [0x7b, 0x7d, 0x5b, 0x5d];
/** What is kept of one document or element; etcd takes objects of 1.5 MiB. */
const KEPT_MAX = 4 << 20;
const KEY_MAX = 256;
const NOT_JSON = 'the answer is not JSON';

/**
 * Keeps some fields of JSON documents while their bytes arrive. What is not kept is never in memory
 * as a value: parsing a pod of 1.5 MB takes 20 MB, and an API server sends many of them in a row.
 */
export class Projection {
  readonly #options: ProjectionOptions;
  readonly #frames: Frame[] = [];
  #expected: Expected = 'value';
  /** JSON text of what is kept of the document, or of the element that `#element` begins. */
  #kept = Buffer.alloc(4096);
  #length = 0;
  #element = -1;
  /** the key that is being read, with its quotes */
  #key: number[] = [];
  /** the fields of the value that comes next; undefined: it is skipped */
  #fields: Fields | undefined;
  /** Within a value that is copied or skipped as a whole. */
  #isWithin = false;
  #isScalar = false;
  #isInString = false;
  #isEscaped = false;
  #depth = 0;

  constructor(options: ProjectionOptions) {
    this.#options = options;
    this.#fields = options.fields;
  }

  /** Whether the bytes so far end within a document. */
  get isWithinDocument(): boolean {
    return this.#frames.length > 0 || this.#isWithin;
  }

  /**
   * Takes the next bytes, each as a character (latin1). Throws a SyntaxError where they are not JSON,
   * and a RangeError where more would be kept than memory allows.
   *
   * The bytes come as text because text is in V8's young generation. A stream of buffers is not, so
   * that nothing starts a collection until 64 MiB of them have gathered.
   */
  write(bytes: string): void {
    for (let at = 0; at < bytes.length; )
      at = this.#isWithin ? this.#through(bytes, at) : this.#next(bytes, at);
  }

  /** Forgets the document that has begun. */
  reset(): void {
    this.#frames.length = 0;
    this.#length = 0;
    this.#expected = 'value';
    this.#fields = this.#options.fields;
    this.#isWithin = false;
    this.#isInString = false;
    this.#isEscaped = false;
  }

  /** Takes one byte of the structure and returns the position behind it, or at a value's start. */
  #next(bytes: string, at: number): number {
    const byte = bytes.charCodeAt(at);
    if (this.#expected === 'key') this.#takeKey(byte);
    else if (byte === 0x20 || (byte >= 0x09 && byte <= 0x0d)) return at + 1;
    else if (this.#expected === 'colon' && byte === COLON) this.#expected = 'value';
    else if (this.#expected === 'value') return this.#begin(byte, at);
    else if (this.#expected === 'key or end' && byte === QUOTE) {
      this.#key = [QUOTE];
      this.#expected = 'key';
    } else if (this.#expected === 'key or end' && byte === CLOSE_OBJECT) this.#end('}');
    else if (this.#expected === 'element or end' && byte === CLOSE_ARRAY) this.#end(']');
    else if (byte === COMMA && this.#frames.length > 0) return at + 1;
    else if (this.#expected === 'element or end') {
      this.#prepareElement();
      return this.#begin(byte, at);
    } else throw new SyntaxError(NOT_JSON);
    return at + 1;
  }

  #takeKey(byte: number): void {
    const isEnd = byte === QUOTE && !this.#isEscaped;
    this.#isEscaped = byte === BACKSLASH && !this.#isEscaped;
    if (this.#key.length < KEY_MAX || isEnd) this.#key.push(byte);
    if (!isEnd) return;
    const { fields } = this.#frame;
    const name = Buffer.from(this.#key.slice(1, -1)).toString();
    this.#fields = fieldsOf(fields, name);
    this.#expected = 'colon';
  }

  #prepareElement(): void {
    const { fields } = this.#frame;
    this.#fields = fields instanceof Each ? fields.fields : fields;
    if (fields instanceof Each) this.#element = this.#length;
  }

  /** Begins a value: a container is entered if parts of it are kept; else it is taken as a whole. */
  #begin(byte: number, at: number): number {
    if (isDelimiter(byte)) throw new SyntaxError(NOT_JSON);
    const fields = this.#fields;
    const isContainer = byte === OPEN_OBJECT || byte === OPEN_ARRAY;
    if (fields !== undefined) this.#separate();
    if (fields === undefined || fields === true || !isContainer) {
      this.#isWithin = true;
      this.#isScalar = byte !== QUOTE && !isContainer;
      this.#depth = 0;
      return at;
    }
    const isArray = byte === OPEN_ARRAY;
    this.#frames.push({ isArray, fields, hasKept: false, lengthBefore: 0 });
    this.#keep(isArray ? '[' : '{');
    this.#expected = isArray ? 'element or end' : 'key or end';
    return at + 1;
  }

  /** Writes what stands before a value that is kept: a comma, and its key in an object. */
  #separate(): void {
    const frame = this.#frames.at(-1);
    if (frame === undefined || frame.fields instanceof Each) return;
    frame.lengthBefore = this.#length;
    if (frame.hasKept) this.#keep(',');
    if (!frame.isArray) this.#keep(`${String.fromCharCode(...this.#key)}:`);
  }

  /** Copies or skips a value as a whole and returns the position behind it, or behind the bytes. */
  #through(bytes: string, from: number): number {
    let at = from;
    let isOver = false;
    while (at < bytes.length && !isOver) {
      const byte = bytes.charCodeAt(at);
      if (this.#isScalar) {
        isOver = isDelimiter(byte);
        if (isOver) break;
      } else if (this.#isInString) {
        if (this.#isEscaped) this.#isEscaped = false;
        else if (byte === BACKSLASH) this.#isEscaped = true;
        else if (byte === QUOTE) {
          this.#isInString = false;
          isOver = this.#depth === 0;
        }
      } else if (byte === QUOTE) this.#isInString = true;
      else if (byte === OPEN_OBJECT || byte === OPEN_ARRAY) this.#depth += 1;
      else if (byte === CLOSE_OBJECT || byte === CLOSE_ARRAY) {
        this.#depth -= 1;
        isOver = this.#depth === 0;
      }
      at += 1;
    }
    if (this.#fields !== undefined) this.#keep(bytes.slice(from, at));
    if (isOver) {
      this.#isWithin = false;
      this.#finish(this.#fields !== undefined);
    }
    return at;
  }

  #end(text: string): void {
    this.#keep(text);
    this.#frames.pop();
    this.#finish(true);
  }

  /** Ends a value, which may be an element or the whole document. */
  #finish(isKept: boolean): void {
    const frame = this.#frames.at(-1);
    if (frame === undefined) {
      const document = this.#parsed(0);
      this.reset();
      this.#options.onDocument(document);
      return;
    }
    this.#expected = frame.isArray ? 'element or end' : 'key or end';
    if (isKept) this.#keepOrDrop(frame);
    if (!frame.isArray || !(frame.fields instanceof Each)) return;
    this.#options.onElement?.(this.#parsed(this.#element));
    this.#element = -1;
  }

  /** Drops a value that is longer than its container wants values. */
  #keepOrDrop(frame: Frame): void {
    const { fields, lengthBefore } = frame;
    const isLong =
      fields instanceof ShortValues && this.#length - lengthBefore > fields.maxBytes + KEY_MAX;
    if (isLong) this.#length = lengthBefore;
    else frame.hasKept = true;
  }

  /** Parses what is kept from there, and forgets it. */
  #parsed(from: number): unknown {
    const text = this.#kept.toString('utf8', from, this.#length);
    this.#length = from;
    return JSON.parse(text);
  }

  #keep(bytes: string): void {
    const length = this.#length + bytes.length;
    if (length > KEPT_MAX) throw new RangeError('the answer has an object that is too long');
    if (length > this.#kept.length) {
      const larger = Buffer.alloc(Math.max(length, 2 * this.#kept.length));
      this.#kept.copy(larger, 0, 0, this.#length);
      this.#kept = larger;
    }
    this.#kept.write(bytes, this.#length, 'latin1');
    this.#length = length;
  }

  get #frame(): Frame {
    const frame = this.#frames.at(-1);
    if (frame === undefined) throw new Error('a projection that is in no container');
    return frame;
  }
}

/** Returns what is kept of the value of a name in an object; undefined: nothing. */
function fieldsOf(fields: Fields, name: string): Fields | undefined {
  if (fields instanceof ShortValues) return true;
  if (fields === true || fields instanceof Each) return undefined;
  return Object.hasOwn(fields, name) ? fields[name] : undefined;
}

function isDelimiter(byte: number): boolean {
  return byte <= 0x20 || byte === COMMA || byte === CLOSE_OBJECT || byte === CLOSE_ARRAY;
}
