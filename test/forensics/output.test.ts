import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { csvLine } from '../../forensics/output/csv.ts';
import { conditionOf } from '../../forensics/select/filter.ts';
import { momentOf } from '../../forensics/select/time.ts';
import { parseExact, writeExact } from '../../record/exact-json.ts';

const NOW = Date.parse('2026-01-31T12:00:00Z');

describe('a cell of CSV', () => {
  for (const [given, expected] of [
    ['=1+1', "'=1+1"],
    ['+1', "'+1"],
    ['-x', "'-x"],
    ['@SUM(A1)', "'@SUM(A1)"],
    [' =1', "' =1"],
    ['|cmd', "'|cmd"],
    ["'=1", "''=1"],
    ['\t=1', "'\t=1"],
    ['a=1', 'a=1'],
    ['a,"b"', '"a,""b"""'],
    ['a;=1+1', '"a;=1+1"'],
    [-5, '-5'],
    [9_007_199_254_740_993n, '9007199254740993'],
    [null, ''],
  ] as const)
    test(String(JSON.stringify(given, (_, v) => (typeof v === 'bigint' ? `${v}` : v))), () =>
      assert.equal(csvLine([given]), `${expected}\r\n`),
    );
});

test('JSON keeps integers beyond 2^53', () => {
  for (const text of [
    '1795400191488657708',
    '{"a":[18446744073709551615,-9223372036854775808,1.5]}',
  ])
    assert.equal(writeExact(parseExact(text)), text);
});

describe('a time', () => {
  for (const [given, expected] of [
    ['2h', '2026-01-31T10:00:00.000000000Z'],
    ['90s', '2026-01-31T11:58:30.000000000Z'],
    ['2026-01-31', '2026-01-31T00:00:00.000000000Z'],
    ['2026-01-31T12:00Z', '2026-01-31T12:00:00.000000000Z'],
    ['2026-01-31 12:00:00.000000001+02:00', '2026-01-31T10:00:00.000000001Z'],
  ] as const)
    test(given, () => {
      const [seconds, fraction] = expected.replace('Z', '').split('.');
      const nanoseconds = BigInt(Date.parse(`${seconds}Z`)) * 1_000_000n + BigInt(fraction ?? 0);
      assert.equal(momentOf(given, NOW), nanoseconds);
    });

  for (const given of ['', 'now', '2h ago', '2026-02-30', '2026-01-31T12:00:00', '25', '-2h'])
    test(`${JSON.stringify(given)} is not a time`, () => {
      assert.throws(() => momentOf(given, NOW), { exitCode: 64 });
    });
});

test('the input of a user cannot leave its quotes in SQL', () => {
  const { sql } = conditionOf({ node: "x' OR 1=1 --", label: ["a'b=c'd"] }, NOW);
  assert.match(sql, /"node" = 'x'' OR 1=1 --'/);
  assert.match(sql, /resource\['k8s\.pod\.label\.a''b'\] = 'c''d'/);
});
