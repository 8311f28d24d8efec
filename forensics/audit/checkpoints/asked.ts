import { existsSync } from 'node:fs';
import { isObject, type JsonObject, parseExact } from '../../../record/exact-json.ts';
import { KEYS } from '../../../record/fields.ts';
import { compressedName, findFiles } from '../../inputs/find.ts';
import { readLines } from '../../inputs/read/lines.ts';
import { linesWith } from '../../inputs/read/lines-with.ts';
import { factsOf, hostOf } from './checkpoint-line.ts';

/** Every checkpoint has it, in a journal and in OTLP. */
export const NEEDLE = Buffer.from('journal.checkpoint');

/** Whose checkpoints are wanted of a witness, which may have those of a thousand nodes. */
export interface Asked {
  /** as a store names nodes */
  readonly nodes: ReadonlySet<string>;
  /** ids of nodes, or their names where they have no id */
  readonly hosts: ReadonlySet<string>;
  readonly epochs: ReadonlySet<string>;
}

/** Returns what journals and proofs name in their first lines and their checkpoints. */
export async function askedBy(inputs: readonly string[]): Promise<Asked> {
  const asked = {
    nodes: new Set<string>(),
    hosts: new Set<string>(),
    epochs: new Set<string>(),
  };
  const add = (text: string): boolean => {
    const record = parsed(text);
    if (record === undefined || !isObject(record.resource)) return false;
    const { resource } = record;
    const host = hostOf(resource);
    const node = resource[KEYS.nodeName] ?? resource[KEYS.hostName];
    if (host !== undefined) asked.hosts.add(host);
    if (typeof node === 'string') asked.nodes.add(node);
    const epoch = record.action === 'journal.checkpoint' ? factsOf(record)?.epoch : undefined;
    if (epoch !== undefined) asked.epochs.add(epoch);
    return host !== undefined;
  };
  for (const { real } of findFiles(inputs).found) {
    if (real === undefined) continue;
    try {
      const path = existsSync(real) ? real : compressedName(real);
      for await (const { text } of readLines(path)) if (add(text)) break;
      for await (const { text } of linesWith(path, NEEDLE)) add(text);
    } catch {
      // It was deleted for space meanwhile, or cannot be read, which is reported when it is opened.
    }
  }
  return asked;
}

function parsed(text: string): JsonObject | undefined {
  try {
    const json = parseExact(text);
    return isObject(json) ? json : undefined;
  } catch {
    return undefined;
  }
}
