import { deepEqual, equal } from 'node:assert/strict';
import { test } from 'node:test';
import { parseAddress } from '../../agent/telemetry/address.ts';

const GOOD: readonly (readonly [text: string, host: string, port: number])[] = [
  ['9469', '127.0.0.1', 9469],
  ['0', '127.0.0.1', 0],
  ['127.0.0.1:9469', '127.0.0.1', 9469],
  ['0.0.0.0:65535', '0.0.0.0', 65_535],
  ['localhost:9469', 'localhost', 9469],
  ['[::1]:9469', '::1', 9469],
  ['[::]:9469', '::', 9469],
];

const BAD = ['', ':9469', '127.0.0.1', '127.0.0.1:', '1:2:3', '65536', '-1', '9469x', '::1:9469'];
const WORSE = ['[::1]', '[nonsense]:9469', 'http://127.0.0.1:9469', 'a b:9469', '127.0.0.1:94690'];

for (const [text, host, port] of GOOD)
  test(`${text} is port ${port} of ${host}`, () => deepEqual(parseAddress(text), { host, port }));

for (const text of [...BAD, ...WORSE])
  test(`${JSON.stringify(text)} is no address`, () => equal(parseAddress(text), undefined));
