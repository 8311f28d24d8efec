import assert from 'node:assert/strict';
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { describe, test } from 'node:test';
import {
  keyName,
  noteBody,
  readSigningKey,
  signNote,
  verifierKey,
  verifyNote,
} from '../../../record/tree/note.ts';

// Made with golang.org/x/mod/sumdb/note v0.43.0 from this key, whose seed is 0, 1, 2, …
const PEM = `-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f
-----END PRIVATE KEY-----
`;
const HOST = '0f4c2b7d9a3e4d61a5b8c7d6e5f40312';
const GO_KEY = `vcml/${HOST}+5796923f+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4`;
const GO_NOTE = `vcml/${HOST}/1b9d6bcd-bbfd-4b2d-9b5d-ab8dfbbd4bed
21
47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=

— vcml/${HOST} V5aSPwknmlHMJj4n3h4Zpe8+c+EhASQ5b/ngshsGbEz7VRlZR+qK4sFR1peG9xOMGDxcFjut9qgk9QOmMc49BK3dmQU=
`;
// From the documentation of that package.
const EXAMPLE_KEY = 'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW';
const EXAMPLE_TEXT = `If you think cryptography is the answer to your problem,
then you don't know what your problem is.
`;
const EXAMPLE_NOTE = `${EXAMPLE_TEXT}
— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=
`;

const KEY = readSigningKey(PEM);
const NAME = keyName(HOST);
const BODY = GO_NOTE.slice(0, GO_NOTE.indexOf('\n\n') + 1);

describe('signed notes of checkpoints', () => {
  test('are what Go makes of the same key', () => {
    const root = BODY.split('\n')[2] as string;
    assert.equal(noteBody(HOST, '1b9d6bcd-bbfd-4b2d-9b5d-ab8dfbbd4bed', 21, root), BODY);
    assert.equal(verifierKey(KEY, NAME), GO_KEY);
    assert.equal(signNote(KEY, NAME, BODY), GO_NOTE);
  });

  test("verify, Go's example too", () => {
    assert.equal(verifyNote(GO_NOTE, `${GO_KEY}\n`), BODY);
    assert.equal(verifyNote(EXAMPLE_NOTE, EXAMPLE_KEY), EXAMPLE_TEXT);
    const others = GO_NOTE + (EXAMPLE_NOTE.split('\n').at(-2) as string);
    assert.equal(verifyNote(`${others}\n`, GO_KEY), BODY);
  });

  test('do not verify with any bit changed, nor with another key', () => {
    const bytes = Buffer.from(GO_NOTE);
    for (let bit = 0; bit < bytes.length * 8; bit += 1) {
      const changed = Buffer.from(bytes);
      changed[bit >> 3] = (changed[bit >> 3] as number) ^ (1 << (bit & 7));
      assert.equal(verifyNote(changed.toString(), GO_KEY), undefined, `bit ${bit}`);
    }
    const { privateKey } = generateKeyPairSync('ed25519');
    assert.equal(verifyNote(GO_NOTE, verifierKey(privateKey, NAME)), undefined);
    assert.equal(verifyNote(signNote(privateKey, NAME, BODY), GO_KEY), undefined);
    for (const note of ['', '\n', BODY, `${BODY}\n`, GO_NOTE.trimEnd(), `${GO_NOTE}\n`])
      assert.equal(verifyNote(note, GO_KEY), undefined, note);
  });

  test('need a key of Ed25519 and a name without spaces', () => {
    const pemOf = (key: KeyObject) => key.export({ format: 'pem', type: 'pkcs8' });
    const { privateKey, publicKey } = generateKeyPairSync('ed25519');
    const refused: readonly [string | Buffer, RegExp][] = [
      ['', /^Error: not a private key in PEM/],
      [publicKey.export({ format: 'pem', type: 'spki' }), /^Error: not a private key in PEM/],
      [
        privateKey.export({ format: 'pem', type: 'pkcs8', cipher: 'aes-256-cbc', passphrase: 'a' }),
        /without a passphrase/,
      ],
      [pemOf(generateKeyPairSync('x25519').privateKey), /of type x25519, not ed25519/],
      [pemOf(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey), /of type ec, not/],
      [PEM.replace('MC4C', 'MC5C'), /cannot be read/],
    ];
    for (const [pem, why] of refused) assert.throws(() => readSigningKey(pem), why);
    for (const name of ['', 'a b', 'a+b', 'a\nb'])
      assert.throws(() => signNote(KEY, name, BODY), /cannot be the name of a key/);
    for (const key of [GO_KEY.replace('5796', '5797'), GO_KEY.slice(0, -4), 'a+b', PEM])
      assert.throws(() => verifyNote(GO_NOTE, key), /^Error: not |whose hash/);
  });
});
