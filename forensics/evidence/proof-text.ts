import { hashFrom, sha256 } from '../../record/tree/hashes.ts';
import type { Sibling } from './chunks.ts';

/** The first line of a proof. */
export const PROOF_FORM = 'vcml-proof 1';

/** What a hash begins with that is on this side of the way up. */
const SIDES = { left: '<', right: '>' } as const;

/** A proof as its file has it (docs/evidence.md). What is undefined has no line. */
export interface Proof {
  readonly kind: 'record' | 'selection';
  /** the ids of what it is about */
  readonly records: readonly string[];
  /** Only of a selection: its options as JSON, and its times in Unix nanoseconds. */
  readonly where?: string | undefined;
  readonly since?: bigint | undefined;
  readonly until?: bigint | undefined;
  /** the leaf of the first block that is in it, from 0 */
  readonly leaf: number;
  /** the SHA-256 of the checkpoint's line before that block, or NO_LINE */
  readonly previousLine: Buffer;
  /** Only of a record: the way from its chunk up to the root of its block. */
  readonly chunk?: readonly Sibling[] | undefined;
  /** Only of a selection: the root of the block behind its last checkpoint, unless that is the anchor. */
  readonly follower?: Buffer | undefined;
  /** the tree over the other leaves */
  readonly outside: readonly Buffer[];
  /** Only of a selection, except at the beginning of an epoch: the line of the checkpoint before. */
  readonly opening?: Buffer | undefined;
  /** whole lines: the chunk, or blocks with their checkpoints */
  readonly lines: Buffer;
  /** the line of the checkpoint that has the root */
  readonly anchor: Buffer;
}

/** Why a file proves nothing. */
export class Refused extends Error {
  override readonly name = 'Refused';
}

/** Returns the file of a proof. */
export function proofText(proof: Proof): Buffer {
  const parts: Buffer[] = [];
  const word = (name: string, ...values: readonly (string | number | bigint)[]) =>
    parts.push(Buffer.from(`${[name, ...values].join(' ')}\n`));
  const bytes = (name: string, content: Buffer) => {
    word(name, content.length);
    parts.push(content);
  };
  word(PROOF_FORM);
  word('proves', proof.kind);
  for (const id of proof.records) word('record', id);
  if (proof.where !== undefined) word('where', proof.where);
  if (proof.since !== undefined) word('since', proof.since);
  if (proof.until !== undefined) word('until', proof.until);
  word('block', proof.leaf, base64(proof.previousLine));
  if (proof.chunk !== undefined)
    word('chunk', ...proof.chunk.map(({ side, hash }) => `${SIDES[side]}${base64(hash)}`));
  if (proof.follower !== undefined) word('follower', base64(proof.follower));
  word('tree', ...proof.outside.map(base64));
  if (proof.opening !== undefined) bytes('opening', proof.opening);
  bytes('lines', proof.lines);
  bytes('checkpoint', proof.anchor);
  word('sha256', base64(sha256(Buffer.concat(parts))));
  return Buffer.concat(parts);
}

/** Reads the file of a proof; throws Refused unless it is what proofText() makes. */
export function readProof(file: Buffer): Proof {
  const reader = new Reader(file);
  reader.exactly(PROOF_FORM);
  const [kind = ''] = reader.words('proves', 1);
  if (kind !== 'record' && kind !== 'selection') throw new Refused(`it proves "${kind}"`);
  const isSelection = kind === 'selection';
  const records: string[] = [];
  while (reader.isAt('record')) records.push(reader.rest('record'));
  const where = isSelection ? reader.rest('where') : undefined;
  const since = isSelection && reader.isAt('since') ? big(reader.rest('since')) : undefined;
  const until = isSelection && reader.isAt('until') ? big(reader.rest('until')) : undefined;
  const [leaf = '', previous = ''] = reader.words('block', 2);
  const chunk = isSelection ? undefined : reader.words('chunk').map(siblingOf);
  const hasFollower = isSelection && reader.isAt('follower');
  const follower = hasFollower ? hash(reader.rest('follower')) : undefined;
  const outside = reader.words('tree').map(hash);
  const opening = isSelection && reader.isAt('opening') ? reader.bytes('opening') : undefined;
  const lines = reader.bytes('lines');
  const anchor = reader.bytes('checkpoint');
  const summed = reader.at;
  const sum = hash(reader.rest('sha256'));
  reader.end();
  if (!sum.equals(sha256(file.subarray(0, summed))))
    throw new Refused('it is damaged: its last line has the SHA-256 of other bytes');
  return {
    kind,
    records,
    where,
    since,
    until,
    leaf: integer(leaf),
    previousLine: hash(previous),
    chunk,
    follower,
    outside,
    opening,
    lines,
    anchor,
  };
}

/** Reads lines of words, and bytes whose number a line says. */
class Reader {
  readonly #file: Buffer;
  /** the offset of what is read next */
  at = 0;

  constructor(file: Buffer) {
    this.#file = file;
  }

  isAt(name: string): boolean {
    return this.#file.toString('latin1', this.at, this.at + name.length + 1) === `${name} `;
  }

  exactly(line: string): void {
    const read = this.#line();
    if (read !== line) throw new Refused(`it does not begin with "${line}"`);
  }

  /** Returns what follows the name in its line. */
  rest(name: string): string {
    const line = this.#line();
    if (line.startsWith(`${name} `)) return line.slice(name.length + 1);
    throw new Refused(`it has another line in the place of "${name}"`);
  }

  /** Returns the words that follow the name, exactly so many if `count` is given. */
  words(name: string, count?: number): string[] {
    const line = this.#line();
    const [first, ...words] = line.split(' ');
    if (first !== name || (count !== undefined && words.length !== count))
      throw new Refused(`it has another line in the place of "${name}"`);
    return words;
  }

  bytes(name: string): Buffer {
    const length = integer(this.rest(name));
    const from = this.at;
    if (length > this.#file.length - from) throw new Refused('it ends too early');
    this.at += length;
    return this.#file.subarray(from, this.at);
  }

  end(): void {
    if (this.at !== this.#file.length) throw new Refused('something follows its last line');
  }

  #line(): string {
    const feed = this.#file.indexOf(0x0a, this.at);
    if (feed < 0) throw new Refused('it ends too early');
    const line = this.#file.subarray(this.at, feed);
    this.at = feed + 1;
    const text = line.toString();
    if (!Buffer.from(text).equals(line)) throw new Refused('it is not UTF-8');
    return text;
  }
}

function siblingOf(word: string): Sibling {
  const side = word.startsWith(SIDES.left) ? 'left' : 'right';
  if (!word.startsWith(SIDES[side])) throw new Refused(`"${word}" has no side`);
  return { side, hash: hash(word.slice(1)) };
}

function integer(text: string): number {
  const value = Number(text);
  if (/^(0|[1-9]\d*)$/.test(text) && Number.isSafeInteger(value)) return value;
  throw new Refused(`"${text}" is not a whole number`);
}

function big(text: string): bigint {
  if (/^(0|[1-9]\d{0,18})$/.test(text)) return BigInt(text);
  throw new Refused(`"${text}" is not a time in nanoseconds`);
}

function hash(text: string): Buffer {
  const bytes = hashFrom(text);
  if (bytes !== undefined) return bytes;
  throw new Refused(`"${text}" is not a SHA-256 in base64`);
}

function base64(bytes: Buffer): string {
  return bytes.toString('base64');
}
