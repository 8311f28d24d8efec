import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createDecoder } from '../../agent/source/decode.ts';
import { bufferWith, craftCgroup } from '../support/kernel-events.ts';

const CPUS = 4;

function decode(event: Buffer) {
  return createDecoder(bufferWith(event), CPUS, undefined).decode(0, event.length);
}

test('cgroups are read', () => {
  assert.deepEqual(decode(craftCgroup({ id: 2n ** 61n + 3n, hierarchy: 4, path: '/a/\\b' })), {
    kind: 'cgroup_mkdir',
    id: 2n ** 61n + 3n,
    hierarchy: 4,
    path: '/a/\\\\b',
    maker: 'unknown',
  });
  assert.deepEqual(decode(craftCgroup({ id: 5n, hierarchy: 0 })), {
    kind: 'cgroup_rmdir',
    id: 5n,
    hierarchy: 0,
  });
});

test('an event of a cgroup says whether others are missing before it', () => {
  const buffer = Buffer.alloc(1024);
  const decoder = createDecoder(buffer, CPUS, undefined);
  const isAfterLoss = (cpu: number, seq: bigint) => {
    const event = craftCgroup({ cpu, seq, id: 5n, hierarchy: 0 });
    event.copy(buffer);
    const found = decoder.decode(0, event.length);
    return 'isAfterLoss' in found;
  };
  const numbers = [
    [0, 7n, false],
    [0, 8n, false],
    [1, 1n, false],
    [0, 10n, true],
    [0, 11n, false],
    [1, 2n, false],
  ] as const;
  for (const [cpu, seq, expected] of numbers)
    assert.equal(isAfterLoss(cpu, seq), expected, `${cpu} ${seq}`);
});
