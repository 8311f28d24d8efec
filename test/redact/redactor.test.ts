import { deepEqual, equal, ok } from 'node:assert/strict';
import { test } from 'node:test';
import { checkRedaction, createRedactor } from '../../redact/redactor.ts';
import { caseOf, HARMLESS, SECRETS } from './cases.ts';

const redact = createRedactor();

for (const { what, given, expected, secrets } of SECRETS)
  test(`redacts: ${what}`, () => {
    const { args, redacted } = redact(given);
    deepEqual(args, expected);
    equal(redacted, secrets.length);
  });

for (const args of HARMLESS)
  test(`leaves alone: ${args.join(' ').slice(0, 60)}`, () => {
    const result = redact(args);
    deepEqual(result.args, args);
    equal(result.args, args, 'the same array');
    equal(result.redacted, 0);
  });

test('what is redacted already is not redacted again', () => {
  for (const { expected } of SECRETS) {
    const { args, redacted } = redact(expected);
    deepEqual(args, expected);
    equal(redacted, 0);
  }
});

test('no argument list reveals another one', () => {
  equal(redact(['app', '--password']).redacted, 0);
  equal(redact(['x']).redacted, 0);
  equal(redact(['mysql']).redacted, 0);
  equal(redact(['x', '-pabc']).redacted, 0);
});

test('a command is known by its executable where the first argument is something else', () => {
  const args = ['shop-db', '-uroot', '-phunter2', 'shop'];
  equal(redact(args).redacted, 0);
  deepEqual(redact(args, '/usr/bin/mysql').args, ['shop-db', '-uroot', '-p[redacted]', 'shop']);
  equal(redact(args, '/usr/bin/shop').redacted, 0);
});

test('a script of an interpreter is known by its own name', () => {
  const args = ['/usr/bin/python3', '-I', '/usr/bin/http', '-a', 'bob:pw', 'GET', 'h'];
  equal(redact(args, '/usr/bin/python3.12').args[4], 'bob:[redacted]');
});

test('a usage counts for the command that it is of, and not for the next one of a script', () => {
  const { given, expected } = caseOf(
    '',
    'sh',
    '-c',
    'mysql -p«x1» db; mkdir -pv /a | tee -px && mysql -p«x2»',
  );
  deepEqual(redact(given).args, expected);
});

test('words beyond the thousandth are read for names and forms only', () => {
  const files = Array.from({ length: 2000 }, (_, index) => `f${index}`);
  const { args } = redact(['7z', 'a', '-px1', 'a.7z', ...files, '-px2', '--password=x3']);
  deepEqual(args.slice(0, 5), ['7z', 'a', '-p[redacted]', 'a.7z', 'f0']);
  deepEqual(args.slice(-2), ['-px2', '--password=[redacted]']);
});

test('configured names count whatever their case and separators', () => {
  const more = createRedactor({ names: ['--gate', 'door-code'] });
  const { given, expected } = caseOf(
    'own names',
    'x',
    '--gate',
    '«1234»',
    'DOOR_CODE=«987»',
    '--door.code=«987»',
    '--doorCode',
    '«987»',
    '--agate',
    '1234',
    '--gate-length',
    '4',
    'code=987',
  );
  deepEqual(more(given).args, expected);
  equal(redact(given).redacted, 0);
});

test('configured patterns are redacted wherever they stand', () => {
  const more = createRedactor({ patterns: ['acme_[a-z]{4}-\\d{2,}', 'Key\\.[A-F0-9]{8}'] });
  const { given, expected } = caseOf(
    'own patterns',
    'x',
    '«acme_abcd-123»',
    'a=«Key.0123ABCD»,',
    'acme_abc-123',
    'key.0123ABCD',
  );
  deepEqual(more(given).args, expected);
});

for (const name of ['', '-', 'x', 'a b', 'a=b', 'pa*', 'é', 'a--b', 'x'.repeat(65)])
  test(`a name that cannot be searched for is refused: "${name.slice(0, 9)}"`, () => {
    for (const take of [createRedactor, checkRedaction])
      refuses(() => take({ names: [name] }), 'name', /words of letters and digits/);
  });

const BAD_PATTERNS: readonly [pattern: string, why: RegExp][] = [
  ['', /begin with 3 plain/],
  ['ab', /begin with 3 plain/],
  ['[a-z]{20,}', /begin with 3 plain/],
  ['abc{3}', /begin with 3 plain/],
  ['(a+)+', /is not a character/],
  ['acme(a|b)', /is not a character/],
  ['acme.*', /is not a character/],
  ['acme[^a]', /is not a character/],
  ['acme\\1', /is not a character/],
  ['acme[a-z', /is not a character/],
  ['acmé', /is not a character/],
  ['acme[a-z]*', /is not a character/],
  ['acme[a-z]+x', /may stand at its end only/],
  ['acme[a-z]{2,9}x', /may stand at its end only/],
  ['acme[a-z]{150}[a-z]{150}', /more than 200 characters/],
  ['acme[z-a]', /out of order/],
  ['acme[a]{5,2}', /out of order/],
  ['a'.repeat(201), /longer than 200/],
];
for (const [pattern, why] of BAD_PATTERNS)
  test(`a pattern that is not safe is refused: ${pattern.slice(0, 30)}`, () => {
    for (const take of [createRedactor, checkRedaction])
      refuses(() => take({ patterns: [pattern] }), 'pattern', why);
  });

function refuses(make: () => unknown, what: string, why: RegExp): void {
  try {
    make();
  } catch (error) {
    equal((error as { what?: unknown }).what, what);
    ok(why.test((error as Error).message), (error as Error).message);
    return;
  }
  ok(false, 'was not refused');
}
