import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { AgentError } from '../../agent/errors.ts';
import { CheckpointKey } from '../../agent/run/checkpoint-key.ts';
import { verifyNote } from '../../record/tree/note.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const HEAD = { epoch: '3b7c2c1e-8a53-4a4c-9d3a-0d4b3c2a1f00', size: 7, root: 'cm9vdA==' };
const BODY = `vcml/node-7/${HEAD.epoch}\n7\ncm9vdA==\n`;

function keyText(type: 'ed25519' | 'x25519' = 'ed25519'): string {
  // The overloads take one type at a time.
  const { privateKey } = generateKeyPairSync(type as 'ed25519');
  return privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();
}

test('checkpoints are signed with the key that the file has, from the one after it was read', async (t) => {
  const file = join(temporaryFolder(t), 'key.pem');
  const problems: AgentError[] = [];
  writeFileSync(file, keyText());
  const key = new CheckpointKey(file, 'node-7', (error) => problems.push(error));
  const first = key.publicKey();
  assert.equal(verifyNote(key.sign(HEAD), first), BODY);
  await key.refresh();

  writeFileSync(file, keyText());
  await key.refresh();
  const note = key.sign(HEAD);
  await key.refresh();
  const second = key.publicKey();
  assert.notEqual(second, first);
  assert.equal(verifyNote(note, second), BODY);
  assert.equal(verifyNote(note, first), undefined);

  rmSync(file);
  await key.refresh();
  assert.equal(verifyNote(key.sign(HEAD), second), BODY);
  await key.refresh();
  writeFileSync(file, 'half a k');
  await key.refresh();
  assert.equal(verifyNote(key.sign(HEAD), second), BODY);
  await key.refresh();
  assert.ok(problems.length >= 2);
  for (const { code } of problems) assert.equal(code, 'CHECKPOINT_KEY_INVALID');
});

test('what is no key of Ed25519 is refused, with the file and the way to make one', (t) => {
  const file = join(temporaryFolder(t), 'key.pem');
  const { publicKey } = generateKeyPairSync('ed25519');
  const texts = ['', 'a secret', publicKey.export({ format: 'pem', type: 'spki' }).toString()];
  for (const text of [...texts, keyText('x25519')]) {
    writeFileSync(file, text);
    assert.throws(
      () => new CheckpointKey(file, 'node-7', () => {}),
      (error: AgentError) =>
        error.code === 'CHECKPOINT_KEY_INVALID' &&
        error.message.includes(file) &&
        error.message.includes('openssl genpkey'),
    );
  }
});
