import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { test } from 'node:test';
import { ATTACKS, bytesBehind, codesOf, findingsOf, Random, scene } from './attacks.ts';

/** A seed repeats a search; 100,000 attacks take some minutes. */
const COUNT = Number(process.env.VCML_ATTACKS ?? 2000);
const SEED = Number(process.env.VCML_ATTACKS_SEED ?? randomInt(2 ** 31));

test(`every change below a witnessed checkpoint is found (${COUNT} attacks, VCML_ATTACKS_SEED=${SEED})`, async () => {
  const random = new Random(SEED);
  const kinds = Object.entries(ATTACKS);
  const counts = new Map<string, { below: number; above: number }>();
  let one = scene(random);
  for (let n = 0; n < COUNT; n += 1) {
    const [kind, attack] = kinds[n % kinds.length] as (typeof kinds)[number];
    if (n % kinds.length === 0) one = scene(random);
    const attacked = attack(one, random);
    const behind = bytesBehind(one, attacked);
    const findings = await findingsOf(one, attacked);
    const told = codesOf(findings, 'FAIL', 'WARN');
    const place = `${kind} (attack ${n}, witnessed ${one.witnessed})`;
    const known = counts.get(kind) ?? { below: 0, above: 0 };
    counts.set(kind, known);
    if (behind === undefined) {
      known.below += 1;
      assert.notDeepEqual(told, [], `not found: ${place}`);
    } else {
      known.above += 1;
      // A bit more or less can make a checkpoint that claims the place of an earlier one.
      const isOfWitness = (code: string) => /^(NOT_)?WITNESS/.test(code);
      assert.ok(told.length === 0 || !told.every(isOfWitness), `${told}: ${place}`);
      if (behind > 0 && told.length === 0)
        assert.ok(codesOf(findings, 'NOTE').includes('LINES_UNWITNESSED'), `no tail: ${place}`);
    }
  }
  for (const [kind, { below }] of counts) if (COUNT >= 1000) assert.ok(below > 0, kind);
});

test('an untouched journal has no finding, whatever is witnessed of it', async () => {
  const random = new Random(SEED);
  for (let n = 0; n < 100; n += 1) {
    const one = scene(random);
    assert.deepEqual(codesOf(await findingsOf(one, one.texts), 'FAIL', 'WARN'), []);
  }
});
