import assert from 'node:assert/strict';
import { randomBytes, randomInt, randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { createIds } from '../../record/ids.ts';
import type { BootTime } from '../../record/types.ts';
import { createUuidv5, NAME_AT, uuidText } from '../../record/uuid.ts';
import { uuid5 } from '../check/uuid.ts';

function bootTimeOf(nanoseconds: bigint): BootTime {
  return {
    seconds: Number(nanoseconds / 1_000_000_000n),
    nanos: Number(nanoseconds % 1_000_000_000n),
  };
}

/** Makes a function from a name to its UUIDv5. */
function uuidsIn(namespace: string): (name: string) => string {
  const uuid = createUuidv5(Buffer.from(namespace.replaceAll('-', ''), 'hex'));
  return (name) => {
    uuid.block.set(Buffer.from(name), NAME_AT);
    return uuidText(uuid.of(NAME_AT + name.length));
  };
}

test('the example of RFC 9562 is reproduced', () => {
  const uuid = uuidsIn('6ba7b810-9dad-11d1-80b4-00c04fd430c8');
  assert.equal(uuid('www.example.com'), '2ed6657d-e927-568b-95e1-2665a8aea6a2');
});

test('names of every length that fits have the same UUID as by node:crypto', () => {
  const namespace = randomUUID();
  const uuid = uuidsIn(namespace);
  for (let round = 0; round < 200; round++)
    for (let length = 0; length <= 39; length++) {
      const name = Buffer.from(randomBytes(length).map((byte) => byte & 0x7f)).toString('latin1');
      assert.equal(uuid(name), uuid5(namespace, name), JSON.stringify(name));
    }
});

test('a name that does not fit is refused', () => {
  const uuid = uuidsIn(randomUUID());
  assert.throws(() => uuid('x'.repeat(40)), RangeError);
});

test('the id of an exec is made from the decimal boot time and pid', () => {
  for (let round = 0; round < 20_000; round++) {
    const bootId = randomUUID();
    const ids = createIds(bootId);
    const time = randomBytes(8).readBigUInt64LE() >> BigInt(randomInt(64));
    const pid = randomInt(2 ** 32);
    assert.equal(uuidText(ids.exec(bootTimeOf(time), pid)), uuid5(bootId, `${time}:${pid}`));
  }
});

test('the longest name of an exec fits', () => {
  const bootId = randomUUID();
  const time = 2n ** 64n - 1n;
  const id = createIds(bootId).exec(bootTimeOf(time), 2 ** 32 - 1);
  assert.equal(uuidText(id), uuid5(bootId, `${time}:${2 ** 32 - 1}`));
});

test('the id of a record about the journal is made from its boot time, action and number', () => {
  const bootId = randomUUID();
  const ids = createIds(bootId);
  for (const action of ['journal.start', 'journal.loss', 'journal.stop'])
    for (const n of [0, 1, 9_007_199_254_740_991]) {
      const id = ids.journal(bootTimeOf(81_234_567_890_123n), action, n);
      assert.equal(id, uuid5(bootId, `81234567890123:${action}:${n}`));
    }
});

test('a boot id in capitals gives the same ids in lower case', () => {
  const bootId = randomUUID();
  const time = bootTimeOf(5n);
  assert.deepEqual(createIds(bootId.toUpperCase()).exec(time, 7), createIds(bootId).exec(time, 7));
});
