/** Proofs before judges that share no code with the project: a program in Python, and Go's libraries. */

import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash, generateKeyPairSync, randomInt } from 'node:crypto';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { checkProof } from '../../../../forensics/evidence/check-proof.ts';
import { readCheckpointLine } from '../../../../forensics/evidence/checkpoint-line.ts';
import { chunksOf, pathOf } from '../../../../forensics/evidence/chunks.ts';
import { proveRecord, proveSelection } from '../../../../forensics/evidence/make-proof.ts';
import { proofText, Refused, readProof } from '../../../../forensics/evidence/proof-text.ts';
import type { Where } from '../../../../forensics/evidence/selected.ts';
import { Frontier } from '../../../../record/tree/frontier.ts';
import { chunkHash, leafHash } from '../../../../record/tree/hashes.ts';
import { Leaves } from '../../../../record/tree/leaves.ts';
import { signNote, verifierKey } from '../../../../record/tree/note.ts';
import { start } from '../../../check/craft.ts';
import { Random } from '../../../forensics/audit/checkpoints/attacks.ts';
import { CheckpointedJournal, SECOND } from '../../../support/evidence/checkpointed-journal.ts';
import { forged, summed } from '../../../support/evidence/forgeries.ts';
import { atSecond, idOf, sceneIn } from '../../../support/evidence/scene.ts';
import { Folder, vcml } from '../../../support/forensics.ts';
import { built, ROOT } from '../../../support/paths.ts';

const SEED = Number(process.env.VCML_FORGERIES_SEED ?? randomInt(2 ** 31));
const folder = new Folder();
after(() => folder.close());
const scene = sceneIn(folder, 'journal', 8);
const { journal } = scene;
const lines = folder.journal('lines.jsonl', scene.lines);
const middle = { since: atSecond(21), until: atSecond(35) };
const ALWAYS = { since: undefined, until: undefined };

/** Every option that a proof of a selection can have. */
const SELECTIONS: readonly Where[] = [
  { pod: 'cart' },
  { pod: 'shop/w*' },
  { pod: 'shop/w?b-1', namespace: 'sh*' },
  { exe: '/usr/*/?' },
  { node: 'node', user: 'root', exe: '/usr/bin/x' },
  { exe: 'x', arg: '', gap: 'predates_hook' },
  { gap: true, user: '0' },
  { exe: 'run.sh' },
  { exe: 'run*' },
  { container: '', arg: '\\' },
  { container: 'a', image: 'b', owner: 'c', entry: 'exec' },
  { owner: 'deployment/c*', label: ['app=a', 'tïer'], upperLayer: true, memfd: true, setuid: true },
];

/** What no proof can be of, and would be of no exec. */
const UNCLEAR = String.raw`
null
[]
"x"
{"pod": "none"}
{"pod":"cart","podd":"x"}
{"since":"x"}
{"pod":"cart","pod":"none"}
{"node":"x","node":"none"}
{"pod":"none","node":"node"}
{"upperLayer":false}
{"memfd":1}
{"setuid":"x"}
{"pod":1}
{"pod":null}
{"label":"a"}
{"label":[1]}
{"label":null}
{"gap":["x"]}
{"gap":false}
{"user":"1_0"}
{"user":" 7"}
{"user":"٧"}
{"user":""}
{"exe":"x\u0000"}
{"exe":"\ud800"}
{"exe":"\u0041"}
{"exe":"/y\\Z/"}
{"exe":"/y\ny/"}
{"exe":"/^(?=y)/"}
{"exe":"y["}
{"exe":"/usr/bin/[^x]"}
{"arg":"y\\*"}
{"namespace":"é*"}
{"pod":"shop/?\\"}
`
  .trim()
  .split('\n');

/** Returns what the program in Python says of proofs. */
function inPython(files: readonly Buffer[]): { proved?: string; refused?: string }[] {
  const paths = files.map((file, n) => folder.write(`proofs/${n}`, file));
  const program = join(ROOT, 'test/support/evidence/verify-all.py');
  const said = execFileSync('python3', [program, join(ROOT, 'docs/verify-proof.py'), lines], {
    input: paths.join('\n'),
    maxBuffer: 1 << 28,
  });
  return said
    .toString()
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
}

/** Returns what the program in Go says of claims. */
function inGo(claims: readonly unknown[]): string[] {
  const encoded = claims.map((claim) =>
    JSON.stringify(claim, (_, value) =>
      value?.type === 'Buffer' ? Buffer.from(value.data).toString('base64') : value,
    ),
  );
  const input = encoded.map((line) => `${line}\n`).join('');
  return execFileSync(built('evidence/judge'), { input }).toString().trim().split('\n');
}

test(`a program in Python accepts every proof, and no changed one (VCML_FORGERIES_SEED=${SEED})`, async () => {
  const records = await Promise.all(
    [1, 9, 40, 64].map((seq) => proveRecord([journal], idOf(scene, seq))),
  );
  const selections: Buffer[] = [];
  for (const where of SELECTIONS) selections.push(await proveSelection([journal], where, middle));
  selections.push(await proveSelection([journal], {}, ALWAYS));
  const proofs = [...records, ...selections];
  for (const [n, said] of inPython(proofs).entries())
    assert.match(
      said.proved ?? said.refused ?? '',
      /the witness has the checkpoint$/,
      `proof ${n}`,
    );
  const wrong = selections.slice(0, 6).map((file) => {
    const proof = readProof(file);
    return proofText({ ...proof, records: proof.records.slice(1) });
  });
  const random = new Random(SEED);
  const changed = Array.from({ length: 400 }, () => random.of(proofs))
    .map((proof) => ({ proof, file: forged(proof, random) }))
    .filter(({ proof, file }) => !file.equals(proof))
    .map(({ file }) => file);
  for (const [n, { proved }] of inPython([...wrong, ...changed]).entries())
    assert.equal(proved, undefined, `change ${n - wrong.length}`);
});

test('both verifiers refuse a selection that they may understand differently', async () => {
  const proof = readProof(await proveSelection([journal], { pod: 'none' }, middle));
  const unclear = UNCLEAR.map((where) => proofText({ ...proof, where }));
  const others = [
    proofText({ ...proof, until: atSecond(39) + 1n }),
    summed(
      Buffer.from(
        proofText(proof)
          .toString('latin1')
          .replace(/^block .*/m, '$& x'),
        'latin1',
      ),
    ),
  ];
  const files = [...unclear, ...others];
  for (const [n, { proved }] of inPython(files).entries())
    assert.equal(proved, undefined, `${UNCLEAR[n]}`);
  for (const file of files) await assert.rejects(checkProof(file), Refused);
});

test('both verifiers refuse a selection whose last checkpoint does not cover all before its end', async () => {
  const cases: readonly (readonly [number, number | null, RegExp | undefined])[] = [
    [0, SECOND, undefined],
    [1, SECOND, /lines .*that no checkpoint covers/],
    [0, null, /say.* up to when/],
    [0, 2 * SECOND + 1, /cannot be read|complete up to a later time than its own/],
  ];
  const begun = () => new CheckpointedJournal().add(start([1])).seal(SECOND, [1]);
  const proof = readProof(await proveSelection([begun().write(folder, 'one')], {}, ALWAYS));
  const files = cases.map(([unverifiedSegments, completeUntil]) => {
    const one = begun();
    one.sealer.unverifiedSegments = unverifiedSegments;
    const [before = ''] = one.segments;
    const [text = ''] = one.seal(2 * SECOND, [1], completeUntil).segments;
    const anchor = Buffer.from(text.slice(before.length));
    return proofText({ ...proof, lines: Buffer.concat([proof.lines, anchor]), anchor });
  });
  for (const [n, { refused = '' }] of inPython(files).entries())
    assert.match(refused, cases[n]?.[2] ?? /the witness does not have the checkpoint/);
  for (const [n, file] of files.entries()) {
    const why = cases[n]?.[2];
    if (why === undefined) await checkProof(file);
    else await assert.rejects(checkProof(file), why);
  }
});

test("Go's Merkle trees and notes agree with every root, path and signature", async () => {
  const hashes = Array.from({ length: 70 }, (_, n) => createHash('sha256').update(`${n}`).digest());
  const claims: Record<string, unknown>[] = [];
  const tree = new Frontier();
  const leaves = new Leaves();
  for (const [n, hash] of hashes.entries()) {
    tree.add(hash);
    leaves.add(hash);
    const size = n + 1;
    claims.push({ Leaves: hashes.slice(0, size), Root: tree.root });
    for (const Index of [0, size >> 1, n])
      claims.push({
        Index,
        Size: size,
        Leaf: hashes[Index],
        Path: upwards(leaves.outside(Index, Index + 1), Index, size),
        Root: tree.root,
      });
  }
  const chunks = hashes.slice(0, 13).map((_, n) => Buffer.from(`${n}\n`));
  const block = new Leaves();
  for (const chunk of chunks) block.add(chunkHash(chunk));
  for (const [Index, chunk] of chunks.entries()) {
    const Path = pathOf(chunks, Index).map(({ hash }) => hash);
    claims.push({ Index, Size: 13, Leaf: chunkHash(chunk), Path, Root: block.root() });
  }
  for (const seq of [1, 9, 40, 64]) {
    const proof = readProof(await proveRecord([journal], idOf(scene, seq)));
    const anchor = readCheckpointLine(proof.anchor);
    const [only] = chunksOf(proof.lines);
    assert.deepEqual([proof.chunk, only?.length], [[], proof.lines.length]);
    const Leaf = leafHash(proof.previousLine, chunkHash(proof.lines));
    // From the left to the right in the file, and from the leaf up in RFC 6962.
    const Path = upwards(proof.outside, proof.leaf, anchor?.size ?? 0);
    claims.push({ Index: proof.leaf, Size: anchor?.size, Leaf, Path, Root: anchor?.root });
    claims.push({ Note: anchor?.note, Key: scene.verifierKey });
  }
  const { privateKey } = generateKeyPairSync('ed25519');
  const note = signNote(privateKey, 'vcml/a', 'vcml/a/b\n1\nc\n');
  claims.push({ Note: note, Key: verifierKey(privateKey, 'vcml/a') });
  const said = inGo(claims);
  assert.deepEqual(
    said.filter((one) => one !== 'ok'),
    [],
  );
  assert.equal(said.length, claims.length);
  const [first = {}] = claims.slice(-2);
  assert.notEqual(inGo([{ ...first, Key: verifierKey(privateKey, 'vcml/h1') }])[0], 'ok');
});

test('the commands write, check and refuse a proof', async () => {
  const proof = join(folder.path, 'proof');
  const id = idOf(scene, 20);
  const made = await vcml('prove', id.slice(0, 13), '-o', proof, journal, '--witness', lines);
  assert.equal(made.code, 0, made.stderr);
  const args = ['verify', proof, '--witness', lines, '--key', scene.verifierKey];
  const checked = await vcml(...args);
  assert.equal(checked.code, 0, checked.stderr);
  for (const part of [id, 'size 8, root ', 'note: signed with', 'witness: has this checkpoint\n'])
    assert.ok(checked.stdout.includes(part), part);
  assert.match(checked.stdout, /^proved: this record/);
  const alone = await vcml('verify', proof);
  assert.match(alone.stdout, /^consistent, but nobody confirms it: this record/);
  assert.equal(alone.code, 0);
  const program = join(ROOT, 'docs/verify-proof.py');
  const inWords = (...files: string[]) => {
    const { stdout, stderr } = spawnSync('python3', [program, ...files], { encoding: 'utf8' });
    return `${stdout}${stderr}`;
  };
  assert.match(inWords(proof), /^consistent, but nobody confirms it: record/);
  assert.match(inWords(proof, lines), /^proved: record/);
  for (const files of [[], [`${proof}.none`]]) {
    assert.match(inWords(...files), /verify-proof\.py PROOF \[WITNESS\]/);
    assert.doesNotMatch(inWords(...files), /Traceback/);
  }
  const keyless = await vcml(...args.slice(0, -1), 'none.key');
  assert.match(keyless.stderr, /not of the form NAME\+HASH\+KEY, and no file has this name/);
  assert.deepEqual([keyless.code, (await vcml('verify', `${proof}.none`)).code], [64, 2]);
  const other = generateKeyPairSync('ed25519').privateKey;
  const refused = await vcml(...args.slice(0, -1), verifierKey(other, 'vcml/h1'));
  assert.deepEqual(
    [refused.code, refused.stderr],
    [1, `vcml: ${proof} proves nothing: the checkpoint's note is not signed with this key\n`],
  );
  const empty = folder.write('empty.jsonl', `${scene.lines[0]}\n`);
  const unknown = await vcml('verify', proof, '--witness', empty);
  assert.match(unknown.stderr, /the witness does not have its checkpoint/);
  assert.equal(unknown.code, 1);
  const both = await vcml('prove', id, '--pod', 'cart', '-o', proof, journal);
  assert.deepEqual([both.code, both.stdout], [64, '']);
});

/** Returns what outside() says of one leaf in the order of RFC 6962. */
function upwards(outside: readonly Buffer[], index: number, size: number): Buffer[] {
  const rest = [...outside];
  const path: Buffer[] = [];
  const visit = (begin: number, end: number): void => {
    if (end - begin === 1) return;
    const middle = begin + 2 ** Math.floor(Math.log2(end - begin - 1));
    if (index < middle) {
      const right = rest.pop();
      visit(begin, middle);
      if (right !== undefined) path.push(right);
    } else {
      const left = rest.shift();
      visit(middle, end);
      if (left !== undefined) path.push(left);
    }
  };
  visit(0, size);
  return path;
}
