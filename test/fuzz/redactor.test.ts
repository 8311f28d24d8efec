import { deepEqual, equal, ok } from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { test } from 'node:test';
import { createRedactor } from '../../redact/redactor.ts';
import { SECRETS } from '../redact/cases.ts';

const redact = createRedactor({ names: ['door-code'], patterns: ['acme_[a-z-]{20,}'] });
const MARK = '[redacted]';
const LIMIT = 65_536;

/** Pieces at which searches begin, continue or stop. */
const PIECES = [
  'password',
  'echo ',
  'printf ',
  'set password ',
  'for ',
  'replace ',
  's3(',
  'docker ',
  'nmcli ',
  'sudo ',
  'htpasswd -b ',
  '--secret',
  '<<<',
  '-U ',
  'a%b',
  '?key=',
  '&sig=',
  'api/webhooks/12345/',
  '/hooks/',
  '</',
  'pass',
  'token',
  'key',
  'api_key',
  'secret',
  '_auth',
  'pwd',
  'code',
  'door-code',
  'Authorization',
  'Cookie',
  'Bearer ',
  'identified ',
  'by ',
  'with ',
  'x-',
  '--',
  '-',
  '-p',
  'mysql',
  'curl',
  'ssh',
  'login',
  'set',
  'config',
  '-u',
  ' ',
  '  ',
  '\n',
  '\t',
  '=',
  ':',
  ': ',
  '"',
  "'",
  '`',
  '\\\\',
  '\\\\"',
  '\\xff',
  '$',
  '${',
  '}',
  '{',
  ',',
  ';',
  '&',
  '|',
  '(',
  ')',
  '@',
  '@tcp(',
  '://',
  '/',
  '?',
  '#',
  '<',
  '>',
  'eyJ',
  '.',
  'ghp_',
  'acme_',
  'xoxb-',
  'AKIA',
  'A',
  'a',
  '-----BEGIN ',
  'PRIVATE KEY-----',
  '-----END ',
  'EXAMPLE',
  '0',
  '17',
  'é',
  '😀',
  '\u2028',
  MARK,
];

function anyText(pieces: number): string {
  let text = '';
  for (let left = randomInt(pieces + 1); left > 0; left--)
    text += PIECES[randomInt(PIECES.length)] ?? '';
  return text;
}

/** Whether `clean` is `given` with pieces of it replaced by marks. */
function isExcerpt(clean: string, given: string): boolean {
  let at = 0;
  for (const [index, kept] of clean.split(MARK).entries()) {
    const found = given.indexOf(kept, at);
    if (found < 0 || (index === 0 && found > 0)) return false;
    at = found + kept.length;
  }
  return true;
}

test('any arguments come back with nothing but marks in the place of pieces', () => {
  for (let round = 0; round < 30_000; round++) {
    const given = Array.from({ length: randomInt(6) }, () => anyText(8));
    const { args, redacted } = redact(given);
    equal(args.length, given.length);
    equal(args === given, redacted === 0);
    const length = (texts: readonly string[]) => texts.join('').length;
    ok(length(args) <= length(given) + redacted * MARK.length);
    for (const [index, text] of args.entries())
      ok(isExcerpt(text, given[index] ?? ''), JSON.stringify([given, args]));
    deepEqual(redact(given), { args, redacted }, 'no run tells of another one');
  }
});

test('a secret never survives, whatever it is made of', () => {
  const characters = [...'abcXYZ012_+/%!#~^*'];
  for (let round = 0; round < 10_000; round++) {
    const secret = `S3${Array.from({ length: 4 + randomInt(30) }, () => characters[randomInt(characters.length)]).join('')}`;
    const urlSafe = secret.replaceAll(/[/#?]/g, '-');
    for (const given of [
      ['app', '--password', secret],
      ['app', `--client-secret=${secret}`, '-x'],
      ['env', `API_TOKEN=${secret}`, 'sh'],
      ['mysql', '-uroot', `-p${secret}`],
      ['curl', '-u', `bob:${secret}`],
      ['curl', '-H', `Authorization: Bearer ${secret}`],
      ['curl', '-H', `X-Api-Key: ${secret}`],
      ['x', `https://bob:${urlSafe}@host/path`],
      ['sh', '-c', `a; TOKEN='${secret}' b --password "${secret}" | mysql -p${secret} c`],
      ['sh', '-c', `curl -H "Authorization: Bearer ${secret}" -d '{"token":"${secret}"}'`],
      ['x', `{"a":{"api_key":"${secret}","b":1}}`],
      ['x', `user=a&password=${secret}&x=1`],
    ]) {
      const { args, redacted } = redact(given);
      ok(redacted > 0);
      ok(!args.join('\n').includes(secret), JSON.stringify(args));
      ok(!args.join('\n').includes(urlSafe), JSON.stringify(args));
    }
  }
});

test('a secret is found in the middle of any text that leaves no quote open', () => {
  const secret = `ghp_${'x1Y2'.repeat(9)}`;
  for (let round = 0; round < 10_000; round++) {
    const text = `${anyText(5)} ${secret} ${anyText(5)}`;
    const { args } = redact(['x', text]);
    ok(!args.join().includes(secret), JSON.stringify(text));
  }
});

test('what is too long is cut, and that counts', () => {
  const { args, redacted } = redact(['x', 'y'.repeat(LIMIT), 'z', '']);
  deepEqual(args, ['x', `${'y'.repeat(LIMIT - 1)}${MARK}`, MARK, '']);
  equal(redacted, 2);
});

test('too many places that look like secrets are a reason to cut, never to let one through', () => {
  const given = Array.from({ length: 3000 }, (_, index) => `--password=S3cret${index}`);
  const { args, redacted } = redact(given);
  equal(redacted, 3000);
  ok(!args.join().includes('S3cret'));
  const { args: one } = redact(['sh', '-c', given.join(' ')]);
  ok(!one.join().includes('S3cret'));
});

// Were a search to start over at each place, a text of this length would take minutes.
for (const piece of [...PIECES, ...SECRETS.map(({ given }) => given.join(' '))])
  test(`a long row of ${JSON.stringify(piece).slice(0, 50)} ends in time`, () => {
    for (const text of [piece, `${piece}=`, `${piece} `, `"${piece}`, `${piece}:"x" `]) {
      const long = text.repeat(Math.ceil(2 ** 20 / text.length));
      for (const before of ['-c', '-x']) {
        const { args, redacted } = redact(['mysql', before, long]);
        ok(redacted > 0);
        ok(args.join('').length <= LIMIT + redacted * MARK.length);
      }
    }
  });
