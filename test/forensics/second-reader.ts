import { readFileSync } from 'node:fs';
import { gunzipSync, zstdDecompressSync } from 'node:zlib';

/** What a file contains. */
export interface Contents {
  /** lines that are not blank */
  readonly lines: number;
  /** the ids of all records, in order, those of log records among them */
  readonly ids: readonly string[];
  /** lines that hold records or log records */
  readonly recordLines: number;
  /** lines of OTLP without log records */
  readonly others: number;
}

/**
 * Reads a whole file in the simplest way. It shares no code with the reader that it judges, which
 * reads in parts, seeks, and leaves the work to DuckDB.
 */
export function secondReading(path: string): Contents {
  const lines = textOf(readFileSync(path), path)
    .split('\n')
    .filter((line) => /[^ \t\r\v\f]/.test(line));
  const read = lines.map(idsIn);
  const hasOtlp = read.some((one) => one === 'other' || (Array.isArray(one) && one.length !== 1));
  const isOther = (one: (typeof read)[number]) => one === 'other' || (one === 'empty' && hasOtlp);
  return {
    lines: lines.length,
    ids: read.flatMap((one) => (typeof one === 'string' ? [] : one)),
    recordLines: read.filter((one) => typeof one !== 'string').length,
    others: read.filter(isOther).length,
  };
}

function idsIn(line: string): string[] | 'other' | 'empty' | 'neither' {
  let json: Record<string, unknown>;
  try {
    json = JSON.parse(line.replace(/^\ufeff?\0*/, ''), wellFormed);
  } catch {
    return 'neither';
  }
  if (typeof json?.id === 'string')
    return hasNameTwice(line) || depthOf(line) > 64 ? 'neither' : [json.id];
  if (json?.resourceLogs !== undefined)
    return [...line.matchAll(/"key":"log\.record\.uid","value":\{"stringValue":"([^"]+)"/g)].map(
      ([, id = '']) => id,
    );
  if (typeof json !== 'object' || json === null || Array.isArray(json)) return 'neither';
  if (Object.keys(json).length === 0) return 'empty';
  return Object.keys(json).every((key) => /^resource[SMP]|^schemaUrl$/.test(key))
    ? 'other'
    : 'neither';
}

function wellFormed(name: string, value: unknown): unknown {
  if (!name.isWellFormed() || (typeof value === 'string' && !value.isWellFormed()))
    throw new SyntaxError('half of a surrogate pair');
  return value;
}

/** Whether an object in a line of JSON has the same name twice. */
function hasNameTwice(line: string): boolean {
  const tokens = line.match(/"(?:[^"\\]|\\.)*"|[{}:]/g) ?? [];
  const open: Set<string>[] = [];
  for (const [at, token] of tokens.entries()) {
    if (token === '{') open.push(new Set());
    else if (token === '}') open.pop();
    else if (tokens[at + 1] === ':') {
      const name = JSON.parse(token);
      if (open.at(-1)?.has(name)) return true;
      open.at(-1)?.add(name);
    }
  }
  return false;
}

/** Returns how many lists and objects are in one another. */
function depthOf(line: string): number {
  const tokens = line.match(/"(?:[^"\\]|\\.)*"|[[\]{}]/g) ?? [];
  let depth = 0;
  let deepest = 0;
  for (const token of tokens) {
    if (token === '[' || token === '{') depth += 1;
    else if (token === ']' || token === '}') depth -= 1;
    deepest = Math.max(deepest, depth);
  }
  return deepest;
}

function textOf(bytes: Buffer, path: string): string {
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) return gunzipSync(bytes).toString('utf8');
  const magic = Buffer.from([0x28, 0xb5, 0x2f, 0xfd]);
  const first = bytes.indexOf(magic);
  if (first !== 0 && !path.endsWith('.zst')) return bytes.toString('utf8');
  // Node decompresses one frame; the next one begins with the next magic number.
  const frames: Buffer[] = [];
  for (let at = first; at >= 0; at = bytes.indexOf(magic, at + 1)) {
    frames.push(zstdDecompressSync(bytes.subarray(at)));
    // The Collector's own framing has a length before each frame, and no line feeds.
    if (first > 0) frames.push(Buffer.from('\n'));
  }
  return Buffer.concat(frames).toString('utf8');
}
