import { deepEqual, equal } from 'node:assert/strict';
import { test } from 'node:test';
import { SLACK_US } from '../../../forensics/audit/line-rules.ts';
import { SeenCauses } from '../../../forensics/audit/seen/causes/causes.ts';
import type { ExecColumns } from '../../../forensics/exec-lines/exec-columns.ts';
import { createSeeded } from '../../support/scripted/seeded.ts';

interface Exec {
  readonly id: bigint;
  readonly parent: bigint | undefined;
  readonly boot: bigint;
  /** ns */
  readonly bootTime: bigint;
  /** µs */
  readonly age: bigint;
}

test('the links of a sound journal are clear, whatever the ids have in common', () => {
  for (const idOf of [
    (n: bigint) => n,
    (n: bigint) => n << 64n,
    (n: bigint) => (n << 32n) | 7n,
    (n: bigint) => ~(n << 96n) & ((1n << 128n) - 1n),
  ]) {
    const execs = Array.from({ length: 200_000 }, (_, n): Exec => {
      const at = BigInt(n);
      const parent = n === 0 ? undefined : idOf(at / 2n);
      return { id: idOf(at), parent, boot: 1n, bootTime: at * 1_000_000n, age: 1n };
    });
    deepEqual(unclearIn(execs), []);
  }
});

test('whatever is wrong with a link, it is not clear', () => {
  const cause = { id: 1n, parent: undefined, boot: 1n, bootTime: 9_000_000n, age: 5n };
  const effect = { id: 2n, parent: 1n, boot: 1n, bootTime: 9_500_000n, age: 500n };
  deepEqual(unclearIn([cause, effect]), []);
  for (const [what, wrong] of Object.entries({
    'a cause that is missing': { parent: 3n },
    itself: { parent: 2n },
    'a cause of another boot': { boot: 2n },
    'a cause that is later': { bootTime: 8_999_999n, age: 0n },
    'a process from before its cause': { age: 501n + BigInt(SLACK_US) },
  }))
    deepEqual(unclearIn([cause, { ...effect, ...wrong }]), [1], what);
  // The process itself was the cause.
  const same = { ...effect, age: 9500n - 9000n + cause.age };
  deepEqual(unclearIn([cause, same]), []);
  deepEqual(unclearIn([effect, cause]), [0], 'a cause that is behind its effect');
  equal(unclearIn([cause, effect, { ...cause, boot: 3n }]), undefined, 'an id that is there twice');
});

test('random execs are judged as by comparing each with each', () => {
  for (let seed = 1; seed <= 200; seed++) {
    const { below, percent } = createSeeded(seed);
    const pick = (bound: number) => BigInt(below(bound));
    const execs = Array.from({ length: 60 }, (_, n): Exec => {
      const id = (BigInt(n) << 64n) | pick(3);
      const parent = percent(20) ? undefined : (pick(70) << 64n) | pick(3);
      return { id, parent, boot: pick(2), bootTime: BigInt(n) * 900_000n, age: pick(6000) };
    });
    deepEqual(unclearIn(execs), comparedEach(execs), `seed ${seed}`);
  }
});

/** Returns the rows that are not clear, when rows are taken in several parts. */
function unclearIn(execs: readonly Exec[]): readonly number[] | undefined {
  const seen = new SeenCauses();
  const half = execs.length >> 1;
  seen.add(columnsOf(execs.slice(0, half)), 0, 0, half);
  seen.add(columnsOf(execs.slice(half)), half, 0, execs.length - half);
  return seen.unclear;
}

function comparedEach(execs: readonly Exec[]): number[] {
  const created = ({ bootTime, age }: Exec) => bootTime / 1000n - age;
  return execs.flatMap((exec, row) => {
    if (exec.parent === undefined) return [];
    const cause = execs.slice(0, row).find(({ id }) => id === exec.parent);
    if (cause === undefined || cause.boot !== exec.boot || exec.bootTime < cause.bootTime)
      return [row];
    const apart = created(exec) - created(cause);
    const isEarlier = created(exec) < cause.bootTime / 1000n - BigInt(SLACK_US);
    return isEarlier && (apart < -1n || apart > 1n) ? [row] : [];
  });
}

function columnsOf(execs: readonly Exec[]): ExecColumns {
  const wide = (of: (exec: Exec) => bigint) =>
    BigUint64Array.from(execs.flatMap((exec) => [of(exec), of(exec) >> 64n])).buffer;
  const long = (of: (exec: Exec) => bigint) => BigInt64Array.from(execs, of).buffer;
  const none = new ArrayBuffer(0);
  return {
    rows: execs.length,
    id: wide(({ id }) => id),
    parent: wide(({ parent = 0n }) => parent),
    hasParent: Uint8Array.from(execs, ({ parent }) => Number(parent !== undefined)).buffer,
    boot: wide(({ boot }) => boot),
    bootTime: long(({ bootTime }) => bootTime),
    age: long(({ age }) => age),
    hook: none,
    seq: none,
    wall: none,
    cpu: none,
    resource: none,
  };
}
