import { type JsonObject, writeExact } from '../../record/exact-json.ts';
import { KEYS } from '../../record/fields.ts';
import { readRecord } from '../../record/read.ts';
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
  const host = hostId ?? hostName;
  if (typeof host !== 'string' || (hostName !== undefined && typeof hostName !== 'string'))
    return undefined;
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
    note,
    json: record.json,
    hash: sha256(line),
  };
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
