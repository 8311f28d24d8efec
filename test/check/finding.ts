/** A place where a journal is not what the format says. */
export interface Finding {
  /** which rule, such as `link` */
  readonly rule: string;
  /** counted from 1 over the whole journal */
  readonly line: number;
  readonly message: string;
}

/** Where the rules put what they find. */
export type Report = (rule: string, message: string) => void;

/** JSON as it was parsed; integers beyond 2^53 are not exact in it. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: Json | undefined;
}

/** One line, parsed, with its 64-bit values exact. */
export interface CheckedRecord {
  readonly id: string;
  readonly action: string;
  readonly object: string;
  /** undefined: it is not there, which was reported */
  readonly permittedBy: string | undefined;
  readonly parentCause: string | null;
  readonly actor: JsonObject;
  readonly resource: JsonObject;
  readonly attributes: JsonObject;
  /** Unix ns */
  readonly timestamp: bigint;
  readonly bootId: string;
  /** ns */
  readonly bootTime: bigint;
}

/** Tells an object from the other things that JSON has. */
export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
