import { randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compareWith } from '../../../../forensics/audit/checkpoints/compare.ts';
import type { TreeFinding } from '../../../../forensics/audit/checkpoints/history.ts';
import { verifyJournals } from '../../../../forensics/audit/checkpoints/of-journals.ts';
import { SegmentReader } from '../../../../forensics/audit/checkpoints/segment-reader.ts';
import { Witness } from '../../../../forensics/audit/checkpoints/witness.ts';
import { CODES } from '../../../../forensics/audit/codes.ts';
import type { Journals } from '../../../../forensics/journals.ts';
import { CHECKPOINT_MARK } from '../../../../record/tree/read-checkpoint.ts';
import type { EpochBegin } from '../../../../record/types.ts';
import { type Block, checkpointsIn, Sealer, sealed } from '../../../support/checkpoints.ts';
import { type Epochs, endOf, joined, written } from './epochs.ts';

/** The segments of a journal by their numbers. */
export type Texts = ReadonlyMap<number, Buffer>;

/** A generator of numbers that a seed repeats (mulberry32). */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** A number from 0 to below `max`. */
  below(max: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % max;
  }

  of<T>(all: readonly T[]): T {
    return all[this.below(all.length)] as T;
  }
}

/** A journal, and the place of the last checkpoint that left the node. */
export interface Scene {
  readonly blocks: readonly (readonly Block[])[];
  readonly texts: Texts;
  readonly epochs: Epochs;
  /** of all checkpoints in order, up to which one they left the node */
  readonly witnessed: number;
  readonly witness: Witness;
  /** the line of the last checkpoint of the first epoch, if it did not leave the node and later ones did */
  readonly unsent: Buffer | undefined;
}

let lines = 0;
function line(random: Random): string {
  lines += 1;
  const time = 1_764_000_000_000_000_000n + BigInt(lines);
  return `{"id":"${lines}","timestamp":${time},"object":"${'x'.repeat(random.below(60))}"}`;
}

/**
 * Makes a journal of some segments; all but the last end with a checkpoint. The last checkpoint of an epoch may not
 * have left the node, although later ones did.
 */
export function scene(random: Random): Scene {
  const segments = 2 + random.below(4);
  const blocks = Array.from({ length: segments }, (_, segment) => {
    const count = 1 + random.below(4);
    const own = Array.from({ length: count }, () => ({
      lines: Array.from({ length: 1 + random.below(4) }, () => line(random)),
      isSealed: true,
    }));
    const hasTail = segment === segments - 1 && random.below(2) === 0;
    return hasTail ? [...own, { lines: [line(random)], isSealed: false }] : own;
  });
  const epochs = {
    first: randomUUID(),
    second: randomUUID(),
    split: 1 + random.below(segments),
    isJoined: random.below(2) === 0,
  };
  const texts = numbered(written(blocks, epochs));
  const checkpoints = checkpointsIn([...texts.values()]);
  const witnessed = 1 + random.below(checkpoints.length);
  const unsent =
    random.below(2) * checkpointsIn(written(blocks.slice(0, epochs.split), epochs)).length;
  const witness = new Witness();
  const isUnsent = unsent > 0 && unsent < witnessed;
  for (const [at, record] of checkpoints.slice(0, witnessed).entries())
    if (!isUnsent || at + 1 !== unsent) witness.add(record, 'witness');
  const end = isUnsent ? lastLine(written(blocks.slice(0, epochs.split), epochs)) : undefined;
  return { blocks, texts, epochs, witnessed, witness, unsent: end };
}

function lastLine(texts: readonly Buffer[]): Buffer {
  const text = texts.at(-1) as Buffer;
  return text.subarray(text.lastIndexOf('\n', text.length - 2) + 1);
}

export function numbered(texts: readonly Buffer[], from = 1): Texts {
  return new Map(texts.map((text, index) => [from + index, text]));
}

/** Returns what of a journal must stay as it is: every byte up to the end of the last witnessed line. */
function protectedPart({ texts, witnessed }: Scene): Texts {
  const part = new Map<number, Buffer>();
  let left = witnessed;
  for (const [number, text] of texts) {
    let at = 0;
    while (left > 0) {
      const mark = text.indexOf(CHECKPOINT_MARK, at);
      if (mark < 0) break;
      at = text.indexOf('\n', mark) + 1;
      left -= 1;
    }
    part.set(number, left === 0 ? text.subarray(0, at) : text);
    if (left === 0) return part;
  }
  return part;
}

/**
 * Returns how many bytes are behind what was witnessed; undefined: an attack changed that. Whole segments
 * may be missing in front: nobody can tell that from their deletion for space.
 */
export function bytesBehind(scene: Scene, attacked: Texts): number | undefined {
  const part = [...protectedPart(scene).values()];
  const texts = [...withUnsent(scene, attacked)]
    .sort(([a], [b]) => a - b)
    .flatMap(([, text]) => (text.length > 0 ? [text] : []));
  const from = part.findIndex((_, first) =>
    part.slice(first).every((text, at) => texts[at]?.subarray(0, text.length).equals(text)),
  );
  const bytes = (all: readonly Buffer[]) => all.reduce((sum, { length }) => sum + length, 0);
  return from < 0 ? undefined : bytes(texts) - bytes(part.slice(from));
}

/**
 * Restores the line of a checkpoint that did not leave the node: the next epoch names its root, and nothing covers
 * the rest of it.
 */
function withUnsent({ texts, unsent }: Scene, attacked: Texts): Texts {
  if (unsent === undefined) return attacked;
  const restored = [...attacked].map(([number, text]): [number, Buffer] => {
    const own = texts.get(number);
    const from = own?.indexOf(unsent) ?? -1;
    const to = from + unsent.length;
    const isOnlyThere =
      from >= 0 &&
      own?.length === text.length &&
      own.subarray(0, from).equals(text.subarray(0, from)) &&
      own.subarray(to).equals(text.subarray(to));
    return [number, isOnlyThere ? (own as Buffer) : text];
  });
  return new Map(restored);
}

/** Returns what the audit finds in a journal with the witness of a scene. */
export async function findingsOf(
  { witness }: Scene,
  texts: Texts,
): Promise<readonly TreeFinding[]> {
  const files = [...texts].map(([number, text]) => {
    const reader = new SegmentReader();
    reader.add(text);
    const original = join(FOLDER, nameOf(number));
    return {
      path: original,
      original,
      journal: FOLDER,
      isSegment: true,
      segmentFacts: reader.end(),
      copies: [],
    };
  });
  const inputs = { files, problems: [] } as unknown as Journals;
  const journals = await verifyJournals(inputs);
  const compared = await compareWith(witness, journals);
  return [...journals.flatMap((one) => one.findings), ...compared.findings];
}

function nameOf(number: number): string {
  return `${`${number}`.padStart(20, '0')}.jsonl`;
}

/** What a journal's folder has beside the inputs: a folder with the name of every segment. */
const FOLDER = mkdtempSync(join(tmpdir(), 'vcml-attacks-'));
for (let number = 0; number <= 20; number += 1) mkdirSync(join(FOLDER, nameOf(number)));
process.on('exit', () => rmSync(FOLDER, { recursive: true }));

export function codesOf(findings: readonly TreeFinding[], ...severities: string[]): string[] {
  return [...new Set(findings.map(({ code }) => code))].filter((code) =>
    severities.includes(CODES[code][0]),
  );
}

/** Ways to change a journal as root; each returns what is there afterwards. */
export const ATTACKS: Readonly<Record<string, (scene: Scene, random: Random) => Texts>> = {
  'flip a bit': ({ texts }, random) =>
    changed(texts, random, (text) => {
      const copy = Buffer.from(text);
      const at = random.below(copy.length);
      copy[at] = (copy[at] ?? 0) ^ (1 << random.below(8));
      return copy;
    }),
  'drop a line': ({ texts }, random) =>
    inLines(texts, random, (all) => all.toSpliced(random.below(all.length), 1)),
  'repeat a line': ({ texts }, random) =>
    inLines(texts, random, (all) => all.toSpliced(random.below(all.length), 0, random.of(all))),
  'insert a line': ({ texts }, random) =>
    inLines(texts, random, (all) => all.toSpliced(random.below(all.length + 1), 0, line(random))),
  'exchange two lines': ({ texts }, random) =>
    inLines(texts, random, (all) => {
      const [a, b] = [random.below(all.length), random.below(all.length)];
      return all.with(a, all[b] as string).with(b, all[a] as string);
    }),
  'drop a block': ({ texts }, random) =>
    inBlocks(texts, random, (all) => all.toSpliced(random.below(all.length), 1)),
  'exchange two blocks': ({ texts }, random) =>
    inBlocks(texts, random, (all) => {
      const [a, b] = [random.below(all.length), random.below(all.length)];
      return all.with(a, all[b] as string).with(b, all[a] as string);
    }),
  'drop a checkpoint': ({ texts }, random) =>
    inLines(texts, random, (all) => {
      const places = all.flatMap((one, at) => (isCheckpoint(one) ? [at] : []));
      return all.toSpliced(random.of(places) ?? 0, 1);
    }),
  'drop a segment': ({ texts }, random) => {
    const dropped = 2 + random.below(texts.size - 1);
    return new Map([...texts].filter(([number]) => number !== dropped));
  },
  'drop a segment and close the gap': ({ texts }, random) => {
    if (texts.size === 1) return texts;
    const dropped = 1 + random.below(texts.size);
    const left = [...texts].filter(([number]) => number !== dropped);
    return numbered(left.map(([, text]) => text));
  },
  'exchange two segments': ({ texts }, random) => {
    const [a, b] = [1 + random.below(texts.size), 1 + random.below(texts.size)];
    const copy = new Map(texts);
    copy.set(a, texts.get(b) as Buffer).set(b, texts.get(a) as Buffer);
    return copy;
  },
  'put a segment in front': ({ texts }, random) =>
    new Map([[0, Buffer.from(`${line(random)}\n`)], ...texts]),
  'cut the end': ({ texts }, random) => {
    const last = 1 + random.below(texts.size);
    const text = texts.get(last) as Buffer;
    const kept = [...texts].filter(([number]) => number < last);
    return new Map([...kept, [last, text.subarray(0, random.below(text.length))]]);
  },
  'take an older copy': ({ texts }, random) => {
    const last = 1 + random.below(texts.size);
    const text = texts.get(last)?.toString() ?? '';
    const ends = blocksIn(text);
    const kept = [...texts].filter(([number]) => number < last);
    const older = ends.slice(0, 1 + random.below(ends.length)).join('');
    return new Map([...kept, [last, Buffer.from(older)]]);
  },
  'take all checkpoints away': ({ texts }) =>
    new Map([...texts].map(([number, text]) => [number, withoutCheckpoints(text)])),
  'rewrite and compute everything again': ({ blocks, epochs }, random) =>
    numbered(written(rewritten(blocks, random), epochs)),
  'rewrite as a journal of its own': ({ blocks }, random) =>
    numbered(sealed(rewritten(blocks, random), new Sealer(randomUUID()))),
  'rewrite, and keep only what is behind': ({ blocks, epochs }, random) => {
    const all = written(rewritten(blocks, random), epochs);
    const from = random.below(all.length);
    return numbered(all.slice(from), 1 + from);
  },
  'fork with an epoch of its own': (scene, random) => fork(scene, random, true),
  'fork and go on': (scene, random) => fork(scene, random, false),
  'drop the end of an epoch': (scene) => atBoundary(scene, 1, () => []),
  'insert a block at the end of an epoch': (scene, random) =>
    atBoundary(scene, 0, () => [{ lines: [line(random)], isSealed: true }]),
  'insert an epoch between two': (scene, random) =>
    atBoundary(scene, 0, (end) => forged(end, random)),
  'replace the end of an epoch by an epoch': (scene, random) =>
    atBoundary(scene, 1, (end) => forged(end, random)),
};

/** Changes the end of the first of two epochs: drops blocks, and adds others or the text of an epoch. */
function atBoundary(
  { blocks, epochs, texts }: Scene,
  dropped: number,
  add: (previous: EpochBegin['previous']) => readonly Block[] | Buffer,
): Texts {
  const { split } = epochs;
  if (split >= blocks.length) return texts;
  const own = blocks[split - 1] as readonly Block[];
  const former = blocks.slice(0, split - 1);
  const kept = own.slice(0, own.length - dropped);
  const genuine = written([...former, own], epochs);
  const before = written([...former, kept], epochs);
  const more = add(endOf(written([...former, own], epochs)));
  const changed = Buffer.isBuffer(more)
    ? joined(before, [more])
    : written([...former, [...kept, ...more]], epochs);
  const last = changed.at(-1) as Buffer;
  // What is behind stays as it is.
  const behind = (texts.get(split) as Buffer).subarray(genuine.at(-1)?.length);
  return new Map(texts).set(split, Buffer.concat([last, behind]));
}

/** Makes an epoch of one block that says that it follows another one. */
function forged(previous: EpochBegin['previous'], random: Random): Buffer {
  const sealer = new Sealer(randomUUID(), { reason: 'truncated', previous });
  return Buffer.concat(sealed([[{ lines: [line(random)], isSealed: true }]], sealer));
}

/** Keeps a journal up to a checkpoint, and continues from there with other lines. */
function fork({ blocks, epochs }: Scene, random: Random, isNewEpoch: boolean): Texts {
  const last = random.below(blocks.length);
  const own = blocks[last] as readonly Block[];
  const kept = own.slice(0, 1 + random.below(own.length)).filter(({ isSealed }) => isSealed);
  if (kept.length === 0) return numbered([]);
  const others = [
    [{ lines: [line(random)], isSealed: true }],
    ...rewritten(blocks.slice(last + 1), random),
  ];
  const before = [...blocks.slice(0, last), kept];
  if (!isNewEpoch) return numbered(written([...before, ...others], epochs));
  const genuine = written(before, epochs);
  const begin: EpochBegin = { reason: 'truncated', previous: endOf(genuine) };
  return numbered([...genuine, ...sealed(others, new Sealer(randomUUID(), begin))]);
}

function rewritten(blocks: readonly (readonly Block[])[], random: Random): Block[][] {
  const [segment, block] = [random.below(blocks.length), random.below(4)];
  return blocks.map((own, at) =>
    own.map((one, index) =>
      at === segment && index === block % own.length
        ? { ...one, lines: [...one.lines.slice(1), line(random)] }
        : one,
    ),
  );
}

function changed(texts: Texts, random: Random, change: (text: Buffer) => Buffer): Texts {
  const number = random.of([...texts.keys()]);
  return new Map(texts).set(number, change(texts.get(number) as Buffer));
}

function inLines(
  texts: Texts,
  random: Random,
  change: (lines: string[]) => readonly string[],
): Texts {
  return changed(texts, random, (text) => {
    const all = change(text.toString().split('\n').slice(0, -1));
    return Buffer.from(all.map((one) => `${one}\n`).join(''));
  });
}

function inBlocks(
  texts: Texts,
  random: Random,
  change: (blocks: string[]) => readonly string[],
): Texts {
  return changed(texts, random, (text) => Buffer.from(change(blocksIn(text.toString())).join('')));
}

/** Returns the blocks of a segment, each with the checkpoint behind it. */
function blocksIn(text: string): string[] {
  const blocks = [''];
  for (const one of text.split('\n').slice(0, -1)) {
    blocks[blocks.length - 1] += `${one}\n`;
    if (isCheckpoint(one)) blocks.push('');
  }
  return blocks.at(-1) === '' ? blocks.slice(0, -1) : blocks;
}

function isCheckpoint(text: string): boolean {
  return text.includes(CHECKPOINT_MARK.toString());
}

function withoutCheckpoints(text: Buffer): Buffer {
  const left = text
    .toString()
    .split('\n')
    .filter((one) => !isCheckpoint(one));
  return Buffer.from(left.join('\n'));
}
