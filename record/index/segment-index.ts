import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { isObject, type Json, type JsonObject } from '../exact-json.ts';
import type { IdSet } from './id-set.ts';

/** The text of a frame: less would cost more disk, and more would cost more time to read a record. */
export const FRAME_BYTES = 4 << 20;
const VERSION = 1;
/** No index of a segment is nearly as large. */
const TEXT_MAX = 256 << 20;
const LEVEL = {
  params: { [constants.ZSTD_c_compressionLevel]: 3, [constants.ZSTD_c_checksumFlag]: 1 },
};

/** Where a frame of a compressed segment is. */
export interface FramePlace {
  /** the offset in the file, and the size there */
  readonly offset: number;
  readonly bytes: number;
  /** the CRC-32 of these bytes */
  readonly crc: number;
}

/** What a frame of a compressed segment has: whole lines. */
export interface FrameContent {
  readonly textBytes: number;
  readonly lines: number;
  /**
   * Whether every line is one that the agent wrote, as far as its beginning says so. If not, what
   * follows says nothing about the other lines.
   */
  readonly isOurs: boolean;
  /** Whether no record is about the journal. */
  readonly onlyExecs: boolean;
  /** the earliest and the latest time of a record, in nanoseconds since 1970 */
  readonly first: bigint;
  readonly last: bigint;
  readonly ids: IdSet;
  /** the ids of causes */
  readonly parents: IdSet;
  /** the numbers of resources; undefined: not all are listed */
  readonly resources: readonly number[] | undefined;
}

/** A frame of a compressed segment. */
export interface IndexedFrame extends FramePlace, FrameContent {}

/** What is in a compressed segment, so that a reader can skip what it does not need. */
export interface SegmentIndex {
  /** the different resources, as they stand in the lines */
  readonly resources: readonly string[];
  readonly frames: readonly IndexedFrame[];
}

/** Returns the content of an index's file. */
export function encodeIndex({ resources, frames }: SegmentIndex): Buffer {
  const text = JSON.stringify({ version: VERSION, resources, frames: frames.map(jsonOf) });
  return zstdCompressSync(text, LEVEL);
}

/** Reads the content of an index's file; throws if it is none of this version, or damaged. */
export function decodeIndex(content: Buffer): SegmentIndex {
  const text = zstdDecompressSync(content, { maxOutputLength: TEXT_MAX }).toString();
  const json: Json = JSON.parse(text);
  if (!isObject(json) || json.version !== VERSION) throw new Error('its version is unknown');
  const { resources, frames } = json;
  if (!Array.isArray(resources) || !resources.every((one) => typeof one === 'string'))
    throw new Error('its resources are no list');
  if (!Array.isArray(frames)) throw new Error('its frames are no list');
  return { resources, frames: frames.map((one) => frameOf(one, resources.length)) };
}

function jsonOf({ first, last, ids, parents, ...frame }: IndexedFrame): JsonObject {
  const { resources = null, ...rest } = frame;
  const times = { first: `${first}`, last: `${last}` };
  return {
    ...rest,
    resources,
    ...times,
    ids: setJson(ids),
    parents: setJson(parents),
  } as JsonObject;
}

function setJson({ count, bits, coded }: IdSet): JsonObject {
  return { count, bits, coded: coded.toString('base64') };
}

function frameOf(json: Json, resourceCount: number): IndexedFrame {
  if (!isObject(json)) throw new Error('a frame is no object');
  const { isOurs, onlyExecs, first, last, resources } = json;
  if (typeof isOurs !== 'boolean' || typeof first !== 'string' || typeof last !== 'string')
    throw new Error('a frame lacks its times');
  const isNumber = (one: Json | undefined) =>
    typeof one === 'number' && Number.isInteger(one) && one >= 0 && one < resourceCount;
  if (resources !== null && !(Array.isArray(resources) && resources.every(isNumber)))
    throw new Error('a frame has a resource that is not listed');
  return {
    offset: count(json.offset),
    bytes: count(json.bytes),
    crc: count(json.crc),
    textBytes: count(json.textBytes),
    lines: count(json.lines),
    isOurs,
    onlyExecs: onlyExecs === true,
    first: BigInt(first),
    last: BigInt(last),
    ids: setOf(json.ids),
    parents: setOf(json.parents),
    resources: resources === null ? undefined : (resources as number[]),
  };
}

function setOf(json: Json | undefined): IdSet {
  if (!isObject(json) || typeof json.coded !== 'string') throw new Error('a frame lacks its ids');
  const coded = Buffer.from(json.coded, 'base64');
  const set = { count: count(json.count), bits: count(json.bits), coded };
  if (set.count > 8 * coded.length || set.bits > 32) throw new Error('a set of ids is damaged');
  return set;
}

function count(json: Json | undefined): number {
  if (typeof json === 'number' && Number.isSafeInteger(json) && json >= 0) return json;
  throw new Error('a frame lacks a number');
}
