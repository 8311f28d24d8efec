import { deepEqual, match } from 'node:assert/strict';
import { after, test } from 'node:test';
import { evidenceIn } from '../../../../forensics/audit/checkpoints/evidence.ts';
import { readWitness } from '../../../../forensics/audit/checkpoints/read-witness.ts';
import { exec, start, text } from '../../../check/craft.ts';
import { NEW, Sealer, sealed } from '../../../support/checkpoints.ts';
import { NO_CLICKHOUSE } from '../../../support/clickhouse/clickhouse.ts';
import { startStore } from '../../../support/clickhouse/stored.ts';
import { Folder, opened, segment } from '../../../support/forensics.ts';

const EPOCH = '11111111-1111-4111-8111-111111111111';

const folder = new Folder();
after(() => folder.close());

const block = (...lines: readonly string[]) => ({ lines, isSealed: true });
const one = (n: number) => text(exec(10 * n, 100 + n, 0, n));

/** A clock that was set back: the journal begins an hour after all of its checkpoints. */
const LATE = text(exec(3600 * 10 ** 9, 100, 0, 9));

/** Three segments; the last line of the second one is `last`. */
function texts(last: string): Buffer[] {
  const first = [block(LATE, text(start([1])), one(1)), block(one(2))];
  const third = [block(one(5)), block(one(6))];
  return sealed([first, [block(one(3)), block(last)], third], new Sealer(EPOCH, NEW));
}

/** A forged checkpoint 4 as the first one of its segment, which a store keeps in two tables. */
function forgery(): string {
  const first = [block(LATE, text(start([1])), one(1)), block(one(2))];
  const forged = sealed([first, [block(one(3))], [block(one(9))]], new Sealer(EPOCH, NEW));
  return linesOf(forged).at(-1) ?? '';
}

function linesOf(all: readonly Buffer[]): string[] {
  return `${Buffer.concat([...all])}`.split('\n').slice(0, -1);
}

test('a store is a witness, also of a forged checkpoint', { skip: NO_CLICKHOUSE }, async (t) => {
  const store = await startStore(t);
  const sound = texts(one(4));
  const dir = folder.path;
  for (const [at, bytes] of sound.entries()) folder.write(segment(at + 1), bytes);
  const compared = () =>
    opened([dir], async (journals) =>
      evidenceIn(journals, await readWitness([store.address], [dir], {})),
    );
  await store.insert(linesOf(sound));
  for (const merge of [() => {}, store.merge]) {
    await merge();
    const { findings, sentences } = await compared();
    deepEqual(findings, []);
    match(sentences[0] ?? '', /\(witnessed\)$/);
  }
  // The second one is the first of its segment, and the genuine one is not.
  const forged = linesOf(texts(one(9))).filter((line) => line.includes('journal.checkpoint'));
  await store.insert(forged.slice(4, 5));
  await store.insert([forgery()]);
  for (const merge of [() => {}, store.merge]) {
    await merge();
    const { findings } = await compared();
    deepEqual(
      findings.map(({ code }) => code),
      ['WITNESS_CONTRADICTS', 'WITNESS_CONTRADICTS'],
    );
  }
});
