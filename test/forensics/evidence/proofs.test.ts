import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { zstdCompressSync } from 'node:zlib';
import { Witness } from '../../../forensics/audit/checkpoints/witness.ts';
import { verify } from '../../../forensics/commands/verify.ts';
import { Counting } from '../../../forensics/evidence/account.ts';
import { checkProof, checkSigned } from '../../../forensics/evidence/check-proof.ts';
import { readCheckpointLine } from '../../../forensics/evidence/checkpoint-line.ts';
import { proveRecord, proveSelection } from '../../../forensics/evidence/make-proof.ts';
import { proofText, readProof } from '../../../forensics/evidence/proof-text.ts';
import { readRecord, type StoredRecord } from '../../../record/read.ts';
import { type Draft, exec, loss, start, text } from '../../check/craft.ts';
import { checkpointsIn, Sealer } from '../../support/checkpoints.ts';
import { CheckpointedJournal, SECOND } from '../../support/evidence/checkpointed-journal.ts';
import { atSecond, BLOCKS, idOf, sceneIn } from '../../support/evidence/scene.ts';
import { Folder, segment } from '../../support/forensics.ts';

const folder = new Folder();
after(() => folder.close());
const scene = sceneIn(folder);
const { journal, witness } = scene;
const SENT_FORGED = /somebody sent a forged checkpoint: .* the place 8 of the epoch /;
const ALWAYS = { since: undefined, until: undefined };
const CART = { pod: 'cart' };
/** The seconds of the blocks from the third on to the fifth. */
const SOME = { since: atSecond(21), until: atSecond(45) };

/** The size of the tree under which a proof has its lines. */
async function sizeOf(proof: Buffer): Promise<number> {
  return (await checkProof(proof)).anchor.size;
}

describe('a proof of a record', () => {
  test('holds for every record that a checkpoint covers, and stays small', async () => {
    for (const seq of [1, 2, 39, 40, 41, 77, 120, 200, 201, 240, 40 * BLOCKS]) {
      const id = idOf(scene, seq);
      const proof = await proveRecord([journal], id, witness);
      const { records, anchor } = await checkProof(proof);
      assert.deepEqual([records.map((one) => one.id), anchor.size], [[id], BLOCKS]);
      const line = scene.lines.find((one) => one.includes(id)) ?? '';
      assert.ok(proof.length <= 24_576 + line.length, `${proof.length}`);
      checkSigned(anchor, scene.verifierKey);
    }
  });

  test('takes the beginning of an id, and refuses one that several have or none has', async () => {
    const id = idOf(scene, 33);
    assert.deepEqual(readProof(await proveRecord([journal], id.slice(0, 13))).records, [id]);
    await assert.rejects(proveRecord([journal], ''), /records have ids that begin with/);
    await assert.rejects(proveRecord([journal], 'xyz'), /no record has the id xyz/);
  });

  test('is under the newest checkpoint that the witness has', async () => {
    const id = idOf(scene, 50);
    assert.equal(await sizeOf(await proveRecord([journal], id)), BLOCKS);
    const some = new Witness();
    const all = checkpointsIn([Buffer.from(scene.lines.join('\n'))]);
    for (const size of [1, 2, 5]) some.add(all[size - 1] ?? {}, 'witness');
    assert.equal(await sizeOf(await proveRecord([journal], id, some)), 5);
    await assert.rejects(
      proveRecord([journal], idOf(scene, 290), some),
      /the witness has no checkpoint that covers this yet/,
    );
  });

  test('is refused by a witness to which somebody sent a forged checkpoint', async () => {
    const contradicted = new Witness();
    const genuine = checkpointsIn([Buffer.from(scene.lines.join('\n'))]);
    const forged = genuine.map((one) => ({ ...one, object: 'forged' }));
    for (const record of [...genuine, ...forged.slice(4, 6)]) contradicted.add(record, 'witness');
    assert.equal(await sizeOf(await proveRecord([journal], idOf(scene, 50), contradicted)), BLOCKS);
    for (const record of forged.slice(-1)) contradicted.add(record, 'witness');
    await assert.rejects(proveRecord([journal], idOf(scene, 50), contradicted), SENT_FORGED);
    const file = folder.write('contradicted', await proveRecord([journal], idOf(scene, 50)));
    await assert.rejects(verify(file, {}, contradicted), SENT_FORGED);
  });

  test('is of a compressed segment too, and of a journal whose front is gone', async () => {
    const name = sceneIn(folder, 'late').journal;
    const plain = readFileSync(join(name, segment(1)));
    const half = plain.length >> 1;
    const frames = [plain.subarray(0, half), plain.subarray(half)].map((part) =>
      zstdCompressSync(part),
    );
    const late = folder.write(`front/${segment(1)}.zst`, Buffer.concat(frames));
    const proof = await proveRecord([late], idOf(scene, 290));
    assert.equal(await sizeOf(proof), BLOCKS);
    const selection = await proveSelection([late], CART, ALWAYS);
    assert.equal((await checkProof(selection)).range?.opening?.size, 6);
  });

  test('cannot be made of what no checkpoint covers', async () => {
    const last = 40 * (BLOCKS + 1);
    const checkpoint = JSON.parse(
      scene.lines.find((one) => one.includes('journal.checkpoint')) ?? '',
    );
    await assert.rejects(
      proveRecord([journal], idOf(scene, last)),
      /wait for the next one, which comes at most `checkpointInterval` after an exec/,
    );
    await assert.rejects(proveRecord([journal], checkpoint.id), /this is a checkpoint/);
    const old = folder.journal(`old/${segment(0)}`, [scene.lines[1] ?? '']);
    folder.journal(`old/${segment(1)}`, [scene.lines[2] ?? '']);
    await assert.rejects(
      proveRecord([join(old, '..')], idOf(scene, 1)),
      /has no checkpoint behind/,
    );
    const other = folder.journal('other.jsonl', scene.lines);
    await assert.rejects(proveRecord([other], idOf(scene, 1)), /only the segments of a journal/);
    await assert.rejects(
      proveRecord(['clickhouse://a@b:1/c'], 'a'),
      /only the segments of a journal/,
    );
    await assert.rejects(proveRecord([journal, late()], 'a'), /a proof is of one journal/);
  });

  test('cannot be made from a block that was changed', async () => {
    const changed = sceneIn(folder, 'changed').journal;
    const file = join(changed, segment(0));
    writeFileSync(file, readFileSync(file, 'utf8').replace('"vcml.seq":60,', '"vcml.seq":61,'));
    await assert.rejects(
      proveRecord([changed], idOf(scene, 77)),
      /does not verify.*run vcml audit/,
    );
    await assert.rejects(proveSelection([changed], CART, ALWAYS), /does not verify/);
  });
});

describe('a proof of a selection', () => {
  test('has all execs of it and of no other, and the losses', async () => {
    const proved = await checkProof(await proveSelection([journal], CART, SOME, witness));
    const expected = scene.lines
      .slice(0, -1)
      .filter((line) => line.includes('"k8s.pod.name":"cart"'))
      .map((line) => ({ line, time: BigInt(/"timestamp":(\d+)/.exec(line)?.[1] ?? 0) }))
      .filter(({ time }) => time >= SOME.since && time < SOME.until)
      .map(({ line }) => JSON.parse(line).id);
    assert.deepEqual(
      proved.records.map(({ id }) => id),
      expected,
    );
    assert.ok(expected.length > 10);
    assert.deepEqual(proved.account.losses, ['ring_buffer: 3 lost, numbers 3 to 5 of CPU 1']);
    const { range } = proved;
    assert.deepEqual([range?.opening?.size, range?.closing.size], [2, 5]);
    assert.equal(range?.endsWithAnchor, false);
  });

  test('can be of nothing, and of the whole journal', async () => {
    const none = await checkProof(await proveSelection([journal], { pod: 'other' }, SOME));
    assert.deepEqual(none.records, []);
    const all = await checkProof(await proveSelection([journal], {}, ALWAYS));
    assert.equal(all.records.length, 41 * BLOCKS);
    assert.equal(all.range?.opening, undefined);
    assert.equal(all.range?.endsWithAnchor, true);
  });

  test('is refused for a time that checkpoints do not enclose', async () => {
    const before = { since: atSecond(5), until: atSecond(45) };
    await assert.rejects(
      proveSelection([journal], CART, before),
      /leave out --since, or choose it from then on/,
    );
    const behind = { since: atSecond(21), until: atSecond(10 * BLOCKS) };
    await assert.rejects(
      proveSelection([journal], CART, behind),
      /no checkpoint says that the journal is complete/,
    );
    const late = { since: atSecond(10 * BLOCKS + 1), until: undefined };
    await assert.rejects(
      proveSelection([journal], CART, late),
      /no checkpoint says that the journal is complete/,
    );
  });

  test('ends where its last checkpoint is complete', async () => {
    const one = new CheckpointedJournal();
    one.add(start([1]), exec(SECOND, 7, 0, 1)).seal(2 * SECOND, [2]);
    // What was executed in second 10 waits until it is read, and comes behind the checkpoint of second 12.
    one.add(exec(3 * SECOND, 8, 0, 2)).seal(12 * SECOND, [3], 9 * SECOND);
    one.add(exec(10 * SECOND, 9, 0, 3)).seal(13 * SECOND, [4], null);
    one.seal(22 * SECOND, [4], 11 * SECOND);
    one.add(exec(20 * SECOND, 10, 0, 4)).seal(23 * SECOND, [5], null);
    const path = one.write(folder, 'waits');
    const proveUntil = async (second: number | undefined) => {
      const until = second === undefined ? undefined : atSecond(second);
      const proof = await proveSelection([path], {}, { since: atSecond(2), until });
      const { records, range } = await checkProof(proof);
      return { proof, count: records.length, size: range?.closing.size, end: range?.end };
    };
    const { proof, ...early } = await proveUntil(9);
    assert.deepEqual(early, { count: 1, size: 2, end: atSecond(9) });
    const late = { count: 2, size: 4, end: atSecond(11) };
    for (const second of [11, undefined]) {
      const { proof: _, ...proved } = await proveUntil(second);
      assert.deepEqual(proved, late);
    }
    await assert.rejects(proveUntil(12), /wait for the next checkpoint/);
    const longer = proofText({ ...readProof(proof), until: atSecond(9) + 1n });
    await assert.rejects(checkProof(longer), /are not complete up to its end/);
    const [unknown] = new CheckpointedJournal().seal(SECOND, [1], null).segments;
    folder.write(`unknown/${segment(0)}`, unknown ?? '');
    await assert.rejects(
      proveSelection([join(folder.path, 'unknown')], {}, ALWAYS),
      /wait for the next checkpoint/,
    );
    const [ahead] = new CheckpointedJournal().seal(SECOND, [1], SECOND + 1).segments;
    assert.equal(readCheckpointLine(Buffer.from(ahead ?? '')), undefined);
  });

  test('is not of patterns that verifiers may understand differently', async () => {
    for (const [where, why] of [
      [{ exe: '/^x/' }, /choose other options: exe is a regular expression/],
      [{ pod: 'car[t]' }, /choose other options: pod is a glob with/],
    ] as const)
      await assert.rejects(proveSelection([journal], where, SOME), why);
  });

  test('is refused across lines that no checkpoint covers, and across other epochs', async () => {
    const one = new CheckpointedJournal();
    one.add(start([1])).seal(SECOND, [1]);
    one.add(exec(SECOND + 1, 7, 0, 1)).seal(2 * SECOND, [2]);
    one.add(exec(2 * SECOND + 1, 8, 0, 2)).next();
    one.add(exec(3 * SECOND + 1, 9, 0, 3)).seal(4 * SECOND, [4]);
    const torn = one.write(folder, 'torn');
    await assert.rejects(proveSelection([torn], {}, ALWAYS), /bytes that no checkpoint covers/);
    const two = new CheckpointedJournal('other');
    two.add(exec(5 * SECOND, 10, 0, 4)).seal(6 * SECOND, [5]);
    two.add(exec(7 * SECOND, 11, 0, 5)).seal(8 * SECOND, [6]);
    folder.write(`torn/${segment(2)}`, two.segments[0] ?? '');
    await assert.rejects(
      proveSelection([torn], {}, { since: atSecond(3), until: undefined }),
      /the epoch's first checkpoint is of/,
    );
  });

  test('is refused across a segment without a checkpoint at its end', async () => {
    const one = new CheckpointedJournal();
    one.sealer.unverifiedSegments = 1;
    one.add(start([1])).seal(2 * SECOND, [1]);
    one.add(exec(3 * SECOND, 7, 0, 1)).seal(4 * SECOND, [2]);
    one.sealer.unverifiedSegments = 1;
    one.seal(6 * SECOND, [2]).seal(8 * SECOND, [2]);
    const hole = one.write(folder, 'hole');
    await assert.rejects(proveSelection([hole], {}, ALWAYS), /no checkpoint at its end/);
    const across = { since: atSecond(4), until: atSecond(5) };
    await assert.rejects(proveSelection([hole], {}, across), /no checkpoint at its end/);
    await proveSelection([hole], {}, { since: atSecond(6), until: atSecond(7) });
  });

  test('is refused where a number is neither recorded nor lost, or is recorded twice', () => {
    const cases: readonly [...Draft[], RegExp | undefined][] = [
      [exec(2, 7, 0, 1), exec(3, 8, 0, 2), exec(4, 9, 0, 3), undefined],
      [exec(2, 7, 0, 1), loss(4, 1, 0, 2, 3), undefined],
      [exec(2, 7, 0, 1), exec(3, 8, 0, 3), /numbers 2 to 2 are neither/],
      [exec(2, 7, 0, 1), /numbers 2 to 3 are neither/],
      [exec(2, 7, 0, 1), loss(3, 1, 0, 2, 2), /numbers 3 to 3 are neither/],
      [exec(2, 7, 0, 1), exec(3, 8, 0, 1), loss(4, 1, 0, 2, 3), /number 1 is recorded twice/],
      [exec(2, 7, 0, 1, { 'vcml.hook.id': '7' }), loss(3, 1, 0, 1, 3), /unknown hook/],
    ];
    const sealer = new Sealer('epoch');
    sealer.nextSeq = [4];
    const checkpoint = sealer.seal().toString();
    for (const one of cases) {
      const why = one.at(-1) as RegExp | undefined;
      const drafts = one.slice(0, -1) as Draft[];
      const counting = new Counting();
      for (const line of [text(start([1])), ...drafts.map(text), checkpoint])
        counting.add(readRecord(line) as StoredRecord);
      const { faults } = counting.end();
      if (why === undefined) assert.deepEqual(faults, []);
      else assert.match(faults.join(), why);
    }
  });

  test('that leaves out an exec, or has another one, is refused', async () => {
    const proof = readProof(await proveSelection([journal], CART, SOME));
    const [first = '', ...others] = proof.records;
    const wrong = [others, [idOf(scene, 90), ...others]];
    for (const records of wrong)
      await assert.rejects(checkProof(proofText({ ...proof, records })), /its selection has/);
    const all = proof.lines.toString();
    const line = all.split('\n').find((one) => one.includes(first)) ?? '';
    const lines = Buffer.from(all.replace(`${line}\n`, ''));
    await assert.rejects(
      checkProof(proofText({ ...proof, records: others, lines })),
      /is not what was recorded/,
    );
    const where = JSON.stringify({ pod: 'web-1' });
    await assert.rejects(checkProof(proofText({ ...proof, where })), /its selection has/);
    for (const odd of ['{"pod":"cart","x":1}', '{"pod": "cart"}', '[]', 'null', '{"pod":1}'])
      await assert.rejects(checkProof(proofText({ ...proof, where: odd })), /cannot be read/);
    const joined = [proof.records.join()];
    await assert.rejects(checkProof(proofText({ ...proof, records: joined })), /or others/);
    const later = { ...proof, until: atSecond(49) + 1n };
    await assert.rejects(checkProof(proofText(later)), /are not complete up to its end/);
    const earlier = { ...proof, since: atSecond(20) - 1n };
    await assert.rejects(checkProof(proofText(earlier)), /begin after the time that it is about/);
    const open = { ...proof, follower: undefined };
    await assert.rejects(checkProof(proofText(open)), /nothing confirms the last checkpoint/);
  });
});

function late(): string {
  const path = join(folder.path, 'late');
  return existsSync(path) ? path : sceneIn(folder, 'late').journal;
}
