import { statSync } from 'node:fs';
import { isObject, parseExact, writeExact } from '../../../record/exact-json.ts';
import { isArchive } from '../../archive/address.ts';
import { ForensicsError } from '../../errors.ts';
import { problemsText } from '../../inputs/find.ts';
import { openInputs } from '../../inputs/open.ts';
import { contentOf } from '../../inputs/otlp.ts';
import { linesWith } from '../../inputs/read/lines-with.ts';
import type { Source } from '../../inputs/source.ts';
import { Temporary } from '../../inputs/temporary.ts';
import { isStore } from '../../store/address.ts';
import type { ConnectionOptions } from '../../store/connect.ts';
import { askedBy, NEEDLE } from './asked.ts';
import { Witness } from './witness.ts';

/**
 * Reads the checkpoints that left nodes: from files, folders and globs with what an agent exported, or
 * copies of journals, and from stores. `inputs` are the journals, or the proof, that will be compared
 * with it: those of other nodes are left out. Throws if any of it cannot be read.
 */
export async function readWitness(
  named: readonly string[],
  inputs: readonly string[],
  options: ConnectionOptions,
): Promise<Witness> {
  const archive = named.find(isArchive);
  if (archive !== undefined)
    throw new ForensicsError(
      'usage',
      `${archive} cannot be a witness: copy the objects, such as with aws s3 sync, and name the folder`,
    );
  const asked = await askedBy(inputs);
  const witness = new Witness(asked);
  for (const store of named.filter(isStore)) {
    const { readStoreWitness } = await import('../../store/audit/witness.ts');
    await readStoreWitness(witness, store, asked, options);
  }
  const paths = named.filter((one) => !isStore(one));
  if (paths.length > 0) await readFiles(witness, paths);
  return witness;
}

async function readFiles(witness: Witness, paths: readonly string[]): Promise<void> {
  const temporary = new Temporary();
  try {
    const { sources, problems } = await openInputs(paths, temporary);
    if (problems.length > 0)
      throw new ForensicsError(
        'unreadable',
        `the witness cannot be read: ${problemsText(problems)}`,
      );
    for (const source of byArrival(sources)) await readFile(witness, source);
  } finally {
    temporary.close();
  }
}

/** A collector's file gets another name when the next one begins, and is not written any more. */
function byArrival(sources: readonly Source[]): Source[] {
  const timed = sources.map((source) => ({ source, at: statSync(source.original).mtimeMs }));
  return timed.sort((a, b) => a.at - b.at).map(({ source }) => source);
}

async function readFile(witness: Witness, source: Source): Promise<void> {
  for await (const { text, number } of linesWith(source.file, NEEDLE)) {
    const content = contentOf(text);
    const place = `${source.path}:${number}`;
    if (content.kind === 'record') {
      const record = parseExact(text);
      if (isObject(record)) witness.add(record, place);
    } else if (content.kind === 'logs')
      for (const one of content.records) {
        // Its integers become what they are in a line.
        const record = one && parseExact(writeExact(one));
        if (isObject(record)) witness.add(record, place);
      }
  }
}
