import { deepEqual, equal } from 'node:assert/strict';
import { test } from 'node:test';
import { createBook } from '../../../redact/commands/book.ts';
import { Walk } from '../../../redact/commands/walk.ts';

/** A usage line, words of a command, and the same words with «…» around secrets; ? marks an option without one. */
const CASES: readonly (readonly [what: string, usage: string, marked: string])[] = [
  ['an option with the next word', 'a -p=X', 'a -p «x» y'],
  ['an option with a value behind its sign', 'a --pin=X', 'a --pin=«x» y'],
  ['an option with a value in the same word', 'a -pX', 'a -p -p«x»?'],
  [
    'an option behind letters of flags',
    'a -[vs]u=USER:X',
    'a -vsu b:«x» -u b:«y» -vub:«z» -xu b:c',
  ],
  ['an option with two values', 'a --both=X+X', 'a --both «x» «y» z'],
  ['an option of Windows', 'a /p:X', 'a /p:«x»? /q:y'],
  ['a value whose secret part is missing', 'a -u=USER:X', 'a -u b'],
  ['a part between signs', 'a USER/X@DB', 'a b/«x»@c'],
  ['a part without its end', 'a USER/X@DB', 'a b/«x»'],
  ['a sign behind the end is none', 'a USER/X@DB', 'a b@c/d'],
  ['a part behind letters', 'a ... id=USER/X', 'a b id=c/«x»'],
  ['an operand behind others', 'a FIRST X', 'a b «x» c'],
  ['an operand behind literal words', 'a set|add NAME X', 'a add b «x»'],
  ['another word than the literal one', 'a set|add NAME X', 'a get b x'],
  ['a literal word in capitals', 'a auth X', 'a AUTH «x»'],
  ['a form of a word', 'a *.password X', 'a b.password «x»'],
  [
    'words up to a literal one, again and again',
    'a ... password X',
    'a b password «x» c password «y»',
  ],
  ['every operand of a kind', 'a set NAME=X ...', 'a set b=«x» c=«y»'],
  ['options between operands', 'a FIRST X', 'a -v b --long «x»'],
  ['an option whose value is no operand', 'a -o=FILE FIRST X', 'a -o? f b «x»'],
  ['a flag that must be there', 'a -b USER X', 'a -b? c «x»'],
  ['a flag among letters', 'a -b USER X', 'a -xby c «x»'],
  ['a flag that comes late', 'a -b USER X', 'a c «x» -b?'],
  ['a flag that is missing', 'a -b USER X', 'a c x'],
  ['an option of a subcommand', 'a add -p=X', 'a -p add -p «x»'],
  ['an option in the place of a value', 'a -p=X', 'a -p -v y'],
  ['an assignment in the place of an operand', 'a X', 'a b=c'],
  ['a name that looks like a secret', 'a --secret=NAME', 'a --secret? b?'],
  ['a file that looks like a secret', 'a --askpass=FILE', 'a --askpass? f'],
  ['a flag that looks like an option with a value', 'a --password', 'a --password? b'],
  ['any command', '* login -p=X', 'b login -p «x»'],
];

for (const [what, usage, marked] of CASES)
  test(`a usage line has ${what}: ${usage}`, () => {
    const book = createBook([usage, 'b -z=X'], []);
    const words = marked.replaceAll(/[«»?]/g, '').split(' ');
    const command = book.commandOf(words[0] ?? '');
    const walk = new Walk(
      book,
      () => false,
      command ?? { usages: [], runs: false, concerns: () => true },
    );
    for (const word of words.slice(1)) walk.read(word);
    const clean = words.slice(1);
    for (const { word, from, to } of walk.end().reverse())
      clean[word] =
        `${clean[word]?.slice(0, from)}«${clean[word]?.slice(from, to)}»${clean[word]?.slice(to)}`;
    for (const word of walk.exempt) clean[word] += '?';
    equal(clean.join(' '), marked.split(' ').slice(1).join(' '));
    if (walk.end().length + walk.exempt.length > 0 && words[0] === 'a')
      equal(command?.concerns(words), true, 'and the quick test lets it pass');
  });

test('a command is known wherever it lies, with an ending, a version or as one of a family', () => {
  const book = createBook(['mysql* -pX', 'python -c=X', 'b2 X'], ['sudo']);
  const known = (word: string) => book.commandOf(word) !== undefined;
  const names = [
    'mysql',
    '/opt/x/mysql',
    './mysqldump',
    'C:\\mysql.exe',
    'python3.12',
    'b2',
    'sudo',
  ];
  deepEqual(
    names.filter((name) => !known(name)),
    [],
  );
  deepEqual(['my', 'xmysql', 'b', 'b3x', 'mysql/x', ''].filter(known), []);
});
