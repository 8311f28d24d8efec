import { isObject } from './exact-json.ts';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COLON = 0x3a;

/**
 * Whether every reader sees the same in a JSON text, which was parsed into `json`. RFC 8259 leaves open
 * what an object says that has a name twice, and what half of a surrogate pair is.
 */
export function hasOneReading(text: string, json: unknown): boolean {
  let members = 0;
  const waiting = [json];
  while (waiting.length > 0) {
    const value = waiting.pop();
    if (typeof value === 'string' && !value.isWellFormed()) return false;
    if (Array.isArray(value)) for (const item of value) waiting.push(item);
    else if (isObject(value))
      for (const [name, member] of Object.entries(value)) {
        if (!name.isWellFormed()) return false;
        members += 1;
        waiting.push(member);
      }
  }
  return membersIn(text) === members;
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

function endOfString(text: string, begin: number): number {
  for (let end = text.indexOf('"', begin + 1); ; end = text.indexOf('"', end + 1)) {
    if (end < 0) return text.length;
    let first = end;
    while (text.charCodeAt(first - 1) === BACKSLASH) first -= 1;
    if ((end - first) % 2 === 0) return end;
  }
}
