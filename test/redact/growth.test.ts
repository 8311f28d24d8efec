import { ok } from 'node:assert/strict';
import { test } from 'node:test';
import { createRedactor } from '../../redact/redactor.ts';
import { timesAsLong } from '../support/growth.ts';

const redact = createRedactor();

/** What the searches begin with, continue with or stop at, over and over. */
const PIECES = [
  'login ',
  'set --secret ',
  'config set password ',
  'docker -v a ',
  'mysql ',
  'mysql;',
  '"mysql" -p ',
  "mysql 'a",
  'echo a ',
  'echo "',
  'echo x|',
  'printf %s x | ',
  '-U a ',
  '-u a -p ',
  '-u a%b ',
  'set password for a ',
  "identified by '",
  "identified with 'a' by 'b' replace ",
  "s3('','",
  "mysql('a','b',",
  '<password>',
  '<password>a<',
  'a:b@',
  'a/b:c@h ',
  '?key=a1',
  '?sig=',
  '://a:',
  '/hooks/a',
  'api/webhooks/12345/',
  'jdbc:oracle:a:b/',
  'userid=a/',
  'h=a,p=b,',
  'password ',
  'password: ',
  "password '",
  'login bob password ',
  'user a b c password ',
  'nmcli password ',
  'curl -sSfu ',
  'htpasswd -b f u ',
  'chpasswd <<< a:b ',
  'poetry http-basic.',
  '> a ',
  '"auth":"',
  '-----BEGIN ',
  '\\\\',
  "'",
  '"',
  'a',
];
const SMALL = 8192;
const FACTOR = 4;
/** Four times the text takes four times the time, or sixteen times where a search starts over. */
const GROWTH_MAX = 9;
/** How much longer a text of four times the length takes. */
function growth(argsOf: (size: number) => readonly string[]): number {
  const large = argsOf(SMALL * FACTOR);
  const small = argsOf(SMALL);
  return timesAsLong(
    () => redact(large),
    () => redact(small),
    GROWTH_MAX,
  );
}

for (const piece of PIECES)
  test(`the time for ${JSON.stringify(piece)}, over and over, grows with its length`, () => {
    const text = piece.repeat(Math.ceil((SMALL * FACTOR) / piece.length));
    for (const option of ['-c', '-x']) {
      const times = growth((size) => ['sh', option, text.slice(0, size)]);
      ok(times < GROWTH_MAX, `${option}: ${times}`);
    }
    const words = piece.trim().split(' ');
    const each = growth((size) => [
      'sudo',
      ...Array.from({ length: size / 8 }, (_, at) => words[at % words.length] ?? ''),
    ]);
    ok(each < GROWTH_MAX, `as arguments: ${each}`);
  });
