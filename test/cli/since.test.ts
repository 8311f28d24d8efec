import { equal, throws } from 'node:assert/strict';
import { test } from 'node:test';
import { sinceNanos } from '../../agent/commands/since.ts';

const NOW = Date.parse('2026-01-31T12:00:00Z');

const good: [given: string, time: string, nanos?: bigint][] = [
  ['90s', '2026-01-31T11:58:30Z'],
  ['15m', '2026-01-31T11:45:00Z'],
  ['2h', '2026-01-31T10:00:00Z'],
  ['3d', '2026-01-28T12:00:00Z'],
  ['0s', '2026-01-31T12:00:00Z'],
  ['2026-01-31', '2026-01-31T00:00:00Z'],
  ['2024-02-29', '2024-02-29T00:00:00Z'],
  ['2026-01-31T12:00:00Z', '2026-01-31T12:00:00Z'],
  ['2026-01-31t12:00:00z', '2026-01-31T12:00:00Z'],
  ['2026-01-31 12:00:00Z', '2026-01-31T12:00:00Z'],
  ['2026-01-31T12:00:00+01:30', '2026-01-31T10:30:00Z'],
  ['2026-01-31T12:00:00-08:00', '2026-01-31T20:00:00Z'],
  ['2026-01-31T12:00:00.123456789Z', '2026-01-31T12:00:00Z', 123_456_789n],
  ['2026-01-31T12:00:00.5Z', '2026-01-31T12:00:00Z', 500_000_000n],
  ['0099-01-01', '0099-01-01T00:00:00Z'],
];

for (const [given, time, nanos = 0n] of good)
  test(`--since ${given} is ${time}${nanos ? ` and ${nanos} ns` : ''}`, () => {
    equal(sinceNanos(given, NOW), BigInt(Date.parse(time)) * 1_000_000n + nanos);
  });

const bad = [
  '',
  '15',
  '15 m',
  '1.5h',
  '-1h',
  '1w',
  '1H',
  'yesterday',
  '1',
  '2026',
  '2026-01',
  '01/31/2026',
  'Jan 31 2026',
  '2026-1-31',
  '2026-02-30',
  '2025-02-29',
  '2026-13-01',
  '2026-01-31T12:00:00',
  '2026-01-31T12:00Z',
  '2026-01-31T24:00:00Z',
  '2026-01-31T12:60:00Z',
  '2026-01-31T12:00:00+0100',
  '2026-01-31T12:00:00+25:00',
  '2026-01-31Z',
  ' 2026-01-31',
  '2026-01-31\n',
  '1767225600',
];

for (const given of bad)
  test(`--since ${JSON.stringify(given)} is refused, and what would be right is said`, () => {
    throws(() => sinceNanos(given, NOW), {
      code: 'USAGE',
      exitCode: 64,
      message: /2026-01-31T12:00:00Z.*90s, 15m, 2h or 3d/,
    });
  });
