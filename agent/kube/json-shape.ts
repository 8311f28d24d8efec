/** What is kept of a JSON value; everything else is skipped while it is read. */
export type Shape = Leaf | Members | Elements | Apart;

/** A value without parts: a string, number, boolean or null. */
export interface Leaf {
  readonly kind: 'leaf';
  /** The length of the longest JSON text that is kept. */
  readonly maxBytes: number;
  /** Whether a value that does not fit is left out without a word. */
  readonly isOptional: boolean;
  /** Returns the part of a text's first `maxBytes` that is kept; undefined: nothing. */
  part?(front: string): string | undefined;
}

/** An object. */
export interface Members {
  readonly kind: 'members';
  /** Returns the shape of a member; undefined: it is skipped. */
  of(key: string): Shape | undefined;
}

/** An array. */
export interface Elements {
  readonly kind: 'elements';
  readonly of: Shape;
  /** Whether each element is passed on as soon as it is read, so that the array stays empty. */
  readonly isStreamed: boolean;
}

/** A value that is kept as a whole or, where there is no room apart from the rest for it, is null. */
export interface Apart {
  readonly kind: 'apart';
  readonly of: Members | Elements;
}

/** A value that is short in every object that is not hostile. */
export const TEXT: Leaf = { kind: 'leaf', maxBytes: 1024, isOptional: false };
/** A value that may be missing, such as that of an annotation. */
export const OPTIONAL_TEXT: Leaf = { kind: 'leaf', maxBytes: 8192, isOptional: true };

/** A value apart, such as a command. */
export const LONG_TEXT: Leaf = { kind: 'leaf', maxBytes: 16_384, isOptional: false };

/** An object with these members. */
export function members(shapes: Readonly<Record<string, Shape>>): Members {
  const known = new Map(Object.entries(shapes));
  return { kind: 'members', of: (key) => known.get(key) };
}

/** An object whose members are chosen by their keys. */
export function chosen(shapeOf: (key: string) => Shape | undefined): Members {
  return { kind: 'members', of: shapeOf };
}

/** An array that is kept. */
export function elements(of: Shape): Elements {
  return { kind: 'elements', of, isStreamed: false };
}

/** An array whose elements are passed on one by one. */
export function stream(of: Shape): Elements {
  return { kind: 'elements', of, isStreamed: true };
}

/** See Apart. */
export function apart(of: Members | Elements): Apart {
  return { kind: 'apart', of };
}

const NAME_MAX = 1024;

/** Variables of an environment, each `NAME=value`: of those with such names, the name is kept. */
export function variablesNamed(names: readonly string[]): Elements {
  const part = (front: string) =>
    names.find((name) => front === name || front.startsWith(`${name}=`));
  return elements({ kind: 'leaf', maxBytes: NAME_MAX, isOptional: false, part });
}
