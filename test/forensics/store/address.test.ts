import { deepEqual, equal, throws } from 'node:assert/strict';
import { test } from 'node:test';
import { parseAddress, withoutPassword } from '../../../forensics/store/address.ts';

for (const [text, address] of [
  [
    'clickhouse://reader@ch.example:8124/memory',
    { url: 'http://ch.example:8124', user: 'reader', database: 'memory' },
  ],
  ['clickhouse://ch.example', { url: 'http://ch.example:8123', user: 'default', database: 'vcml' }],
  [
    'clickhouse://a%40b@[::1]/?secure=true',
    { url: 'https://[::1]:8443', user: 'a@b', database: 'vcml' },
  ],
] as const)
  test(`${text} is the address of a store`, () => deepEqual(parseAddress(text), address));

for (const [text, message] of [
  ['clickhouse://', /a store is named as clickhouse:/],
  ['clickhouse://host/a/b', /a store is named as/],
  ['http://host:8123', /not as http:\/\/host:8123/],
  ['clickhouse://host/db?compress=lz4', /has \?secure=true, not compress/],
  ['clickhouse://host/db?secure=1', /has \?secure=true/],
] as const)
  test(`${text} is refused`, () => throws(() => parseAddress(text), message));

test('a password in an address is refused and not repeated', () => {
  for (const text of [
    'clickhouse://reader:hunter2@host/db',
    'clickhouse://r:hunter2@host:x/db',
    'clickhouse://r:pa/hunter2@host/db',
    'clickhouse://r:pa:hunter2@host:x/db',
    'clickhouse://r:pa@hunter2@host:x/db',
  ])
    throws(
      () => parseAddress(text),
      ({ message, exitCode }: Error & { exitCode?: number }) =>
        exitCode === 64 && !message.includes('hunter2'),
    );
});

test('an address without a password stays as it is', () => {
  for (const text of ['clickhouse://reader@host:8123/db', 'clickhouse://host:8123/db', 'a.jsonl'])
    equal(withoutPassword(text), text);
});
