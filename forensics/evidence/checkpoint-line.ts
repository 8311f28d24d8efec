import { type JsonObject, writeExact } from '../../record/exact-json.ts';
import { KEYS } from '../../record/fields.ts';
import { readRecord, type StoredRecord } from '../../record/read.ts';
import { sha256 } from '../../record/tree/hashes.ts';
import { type ReadCheckpoint, readCheckpoint } from '../../record/tree/read-checkpoint.ts';

/** A checkpoint as its line states it, with what proofs need beside its tree. */
export interface CheckpointLine extends ReadCheckpoint {
  readonly id: string;
  /** Unix nanoseconds */
  readonly timestamp: bigint;
  /** `host.id`, or `host.name` where there is none */
  readonly host: string;
  readonly hostName: string | undefined;
  readonly bootId: string;
  readonly hookId: string;
  /** by CPU */
  readonly nextSeq: readonly number[];
  /** the time up to which every exec is in the journal or lost, Unix ns; undefined: it does not say */
  readonly completeUntil: bigint | undefined;
  readonly note: string | undefined;
  /** the members of the line */
  readonly json: JsonObject;
  /** the SHA-256 of the line with its line feed */
  readonly hash: Buffer;
}

/**
 * Reads a line with its line feed. Undefined: it is no checkpoint, is damaged, or is written in another
 * way than an agent writes it.
 */
export function readCheckpointLine(line: Buffer): CheckpointLine | undefined {
  const text = line.toString();
  const read = readCheckpoint(text);
  const record = readRecord(text);
  if (read === undefined || record?.timestamp === undefined) return undefined;
  if (`${escaped(writeExact(record.json))}\n` !== text) return undefined;
  const { id, timestamp, resource, attributes } = record;
  const { [KEYS.hostName]: hostName, [KEYS.hostId]: hostId } = resource;
  const { [KEYS.bootId]: bootId, [KEYS.checkpointHookId]: hookId } = attributes;
  const { [KEYS.checkpointNextSeq]: nextSeq, [KEYS.checkpointNote]: note } = attributes;
  const completeUntil = completeUntilIn(attributes, timestamp);
  const host = hostId ?? hostName;
  if (typeof host !== 'string' || (hostName !== undefined && typeof hostName !== 'string'))
    return undefined;
  if (completeUntil === null) return undefined;
  if (typeof bootId !== 'string' || typeof hookId !== 'string') return undefined;
  if (!isNumbers(nextSeq) || (note !== undefined && typeof note !== 'string')) return undefined;
  return {
    ...read,
    id,
    timestamp,
    host,
    hostName,
    bootId,
    hookId,
    nextSeq,
    completeUntil,
    note,
    json: record.json,
    hash: sha256(line),
  };
}

/** Returns null if it is damaged, or says more than can be known at its time. */
function completeUntilIn(
  attributes: StoredRecord['attributes'],
  timestamp: bigint,
): bigint | undefined | null {
  const { [KEYS.checkpointCompleteUntil]: text, [KEYS.bootTime]: boot } = attributes;
  if (text === undefined) return undefined;
  if (!isNanoseconds(text) || !isNanoseconds(boot)) return null;
  const age = BigInt(boot) - BigInt(text);
  return age < 0n ? null : timestamp - age;
}

function isNanoseconds(value: unknown): value is string {
  return typeof value === 'string' && /^(0|[1-9]\d{0,18})$/.test(value);
}

/** Escapes what JSON allows, and agents escape. */
function escaped(json: string): string {
  return json.replaceAll(/[\u0085\u2028\u2029]/g, (character) => {
    const code = character.charCodeAt(0).toString(16).padStart(4, '0');
    return `\\u${code}`;
  });
}

function isNumbers(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((one) => Number.isSafeInteger(one) && one >= 0);
}
