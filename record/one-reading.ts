const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COLON = 0x3a;
/** Arrays and objects in one another; a record of the agent has three. */
const DEPTH_MAX = 64;

/**
 * Whether every reader sees the same in a JSON text, which was parsed into `json`. RFC 8259 leaves open
 * what an object says that has a name twice, what half of a surrogate pair is, and how deep a text may be
 * nested.
 */
export function hasOneReading(text: string, json: unknown): boolean {
  return membersOf(json) === membersIn(text);
}

/** Whether every reader sees the same in the JSON text that writeExact() makes of a value. */
export function isReadAlike(json: unknown): boolean {
  return membersOf(json) !== undefined;
}

/** Counts the members of all objects; undefined: a string is not well-formed, or the nesting is too deep. */
function membersOf(json: unknown): number | undefined {
  let members = 0;
  let level = [json];
  for (let depth = 0; level.length > 0; depth += 1) {
    const next: unknown[] = [];
    for (const value of level) {
      if (typeof value === 'string' && !value.isWellFormed()) return undefined;
      if (typeof value !== 'object' || value === null) continue;
      if (depth === DEPTH_MAX) return undefined;
      if (Array.isArray(value)) for (const item of value) next.push(item);
      else
        for (const [name, member] of Object.entries(value)) {
          if (!name.isWellFormed()) return undefined;
          members += 1;
          next.push(member);
        }
    }
    level = next;
  }
  return members;
}

/** Counts the members that are written: each has one colon that is in no string. */
function membersIn(text: string): number {
  let members = 0;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === COLON) members += 1;
    else if (code === QUOTE) at = endOfString(text, at);
  }
  return members;
}

/** Returns the place of the quote that ends the string that begins at one. */
export function endOfString(text: string, begin: number): number {
  for (let end = text.indexOf('"', begin + 1); ; end = text.indexOf('"', end + 1)) {
    if (end < 0) return text.length;
    let first = end;
    while (text.charCodeAt(first - 1) === BACKSLASH) first -= 1;
    if ((end - first) % 2 === 0) return end;
  }
}
