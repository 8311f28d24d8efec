/** A place where a journal violates the format. */
export interface Finding {
  /** The rule, such as `link`. */
  readonly rule: string;
  /** The number of the line, counted from 1 over the whole journal. */
  readonly line: number;
  readonly message: string;
}

/** Collects the findings of the rules. */
export type Report = (rule: string, message: string) => void;

/** Parsed JSON; integers beyond 2^53 are not exact in it. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: Json | undefined;
}

/** A parsed line, with exact 64-bit values. */
export interface CheckedRecord {
  readonly id: string;
  readonly action: string;
  readonly object: string;
  /** The value of `permitted_by`; undefined if it is missing, which was reported. */
  readonly permittedBy: string | undefined;
  readonly parentCause: string | null;
  readonly actor: JsonObject;
  readonly resource: JsonObject;
  readonly attributes: JsonObject;
  /** The timestamp in Unix nanoseconds. */
  readonly timestamp: bigint;
  readonly bootId: string;
  /** The boot time in nanoseconds. */
  readonly bootTime: bigint;
}

/** Returns whether a value is a JSON object. */
export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
