import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { after, test } from 'node:test';
import { checkProof } from '../../../forensics/evidence/check-proof.ts';
import { proveRecord, proveSelection } from '../../../forensics/evidence/make-proof.ts';
import { Refused } from '../../../forensics/evidence/proof-text.ts';
import { compareWith } from '../../../forensics/evidence/witnessed.ts';
import { changed, forged } from '../../support/evidence/forgeries.ts';
import { atSecond, idOf, sceneIn } from '../../support/evidence/scene.ts';
import { Folder } from '../../support/forensics.ts';
import { Random } from '../audit/checkpoints/attacks.ts';

/** A seed repeats a search. */
const COUNT = Number(process.env.VCML_FORGERIES ?? 2000);
const SEED = Number(process.env.VCML_FORGERIES_SEED ?? randomInt(2 ** 31));

const folder = new Folder();
after(() => folder.close());
const scene = sceneIn(folder, 'journal', 8);
const { journal, witness } = scene;
const middle = { since: atSecond(21), until: atSecond(35) };
const end = { since: atSecond(71), until: undefined };
const proofs = await Promise.all([
  ...[1, 17, 40].map((seq) => proveRecord([journal], idOf(scene, seq), witness)),
  proveSelection([journal], { pod: 'cart' }, middle, witness),
  proveSelection([journal], { pod: 'cart' }, end, witness),
]);

/** Returns why a file proves nothing; undefined: it proves something. */
async function refusalOf(file: Buffer): Promise<string | undefined> {
  try {
    const { anchor } = await checkProof(file);
    const compared = compareWith(witness, anchor);
    return compared === 'same' ? undefined : compared;
  } catch (error) {
    if (error instanceof Refused) return error.message;
    throw error;
  }
}

test(`no changed proof holds (${COUNT} changes, VCML_FORGERIES_SEED=${SEED})`, async () => {
  for (const proof of proofs) assert.equal(await refusalOf(proof), undefined);
  const random = new Random(SEED);
  const reasons = new Map<string, number>();
  for (let n = 0; n < COUNT; n += 1) {
    const proof = random.of(proofs);
    const file = n % 4 === 0 ? changed(proof, 0, random) : forged(proof, random);
    if (file.equals(proof)) continue;
    const why = await refusalOf(file);
    if (why === undefined) assert.fail(`change ${n} holds:\n${file.toString('latin1')}`);
    const kind = why.replaceAll(/".*"|\d+/gs, '…');
    reasons.set(kind, (reasons.get(kind) ?? 0) + 1);
  }
  if (process.env.VCML_FORGERIES !== undefined) console.log(reasons);
});
