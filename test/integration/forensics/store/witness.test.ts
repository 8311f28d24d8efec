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

/** Three segments; the last line of the second one is `last`. */
function texts(last: string): Buffer[] {
  const first = [block(text(start([1])), one(1)), block(one(2))];
  return sealed([first, [block(one(3)), block(last)], [block(one(5))]], new Sealer(EPOCH, NEW));
}

test('a store is a witness, also of a forged checkpoint', { skip: NO_CLICKHOUSE }, async (t) => {
  const store = await startStore(t);
  const sound = texts(one(4));
  const dir = folder.path;
  for (const [at, bytes] of sound.entries()) folder.write(segment(at + 1), bytes);
  const linesOf = (all: readonly Buffer[]) => `${Buffer.concat([...all])}`.split('\n').slice(0, -1);
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
  const forged = linesOf(texts(one(9))).filter((line) => line.includes('journal.checkpoint'));
  await store.insert(forged.slice(-1));
  const { findings } = await compared();
  deepEqual(
    findings.map(({ code }) => code),
    ['WITNESS_CONTRADICTS'],
  );
});
