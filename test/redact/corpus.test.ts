import { deepEqual, equal, ok, throws } from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { type CommandLine, piecesOf, readCorpus } from './corpus.ts';
import { shellWords } from './shell-words.ts';
import { tally, verdictOf } from './verdict.ts';

const LINES = readCorpus(join(import.meta.dirname, 'corpus'));

test('the corpus has at least 400 command lines, about half of them without a secret', () => {
  const without = LINES.filter(({ marked }) => !marked.join('').includes('«')).length;
  ok(LINES.length >= 400);
  ok(Math.abs(without / LINES.length - 0.5) < 0.1, `${without} of ${LINES.length}`);
});

test('no command line stands twice in the corpus', () => {
  const seen = new Set<string>();
  for (const { line } of LINES) {
    ok(!seen.has(line), line);
    seen.add(line);
  }
});

test('every secret of the corpus lies within one argument', () => {
  for (const { marked, line } of LINES)
    for (const arg of marked) ok(/^[^«»]*(?:«[^«»]+»[^«»]*)*$/.test(arg), line);
});

test('a line of the corpus is split into arguments as a shell does it', () => {
  deepEqual(shellWords(`a 'b c' "d \\"e\\" $f" g\\ h ''`), ['a', 'b c', 'd "e" $f', 'g h', '']);
  deepEqual(shellWords(`x$'a\\nb' 'it'\\''s' 2=$3`), ['xa\nb', "it's", '2=$3']);
  throws(() => shellWords(`a 'b`), /a quote is open/);
});

test('a mark divides an argument into what is secret and what is not', () => {
  deepEqual(piecesOf('a=«b»;c=«d»'), [
    { text: 'a=', secret: false },
    { text: 'b', secret: true },
    { text: ';c=', secret: false },
    { text: 'd', secret: true },
  ]);
});

test('a verdict says whether a secret is left and whether more than it is gone', () => {
  const verdict = (marked: readonly string[], clean: readonly string[]) => {
    const line: CommandLine = { kind: '', line: '', executable: undefined, marked };
    const { left, tooMuch } = verdictOf(line, () => ({ args: clean }));
    return [left, tooMuch];
  };
  deepEqual(verdict(['p=«ab» c'], ['p=[redacted] c']), [false, false]);
  deepEqual(verdict(['p=«ab» c'], ['p=[redacted]']), [false, true]);
  deepEqual(verdict(['p=«ab» c'], ['p=[redacted]b c']), [true, false]);
  deepEqual(verdict(['p=«ab» c'], ['p=ab c']), [true, false]);
  deepEqual(verdict(['p=ab c'], ['p=[redacted] c']), [false, true]);
  deepEqual(verdict(['«a»', 'b'], ['[redacted]', '[redacted]']), [false, true]);
});

test('a tally counts lines with a secret and lines without one apart', () => {
  const verdicts = [
    { hasSecrets: true, left: true, tooMuch: true },
    { hasSecrets: true, left: false, tooMuch: true },
    { hasSecrets: false, left: false, tooMuch: true },
    { hasSecrets: false, left: false, tooMuch: false },
  ];
  deepEqual(tally(verdicts), { withSecrets: 2, left: 1, tooMuch: 1, without: 2, changed: 1 });
});

test('what stands before a line in brackets is the file that runs', () => {
  const named = LINES.filter(({ executable }) => executable !== undefined);
  ok(named.length >= 10);
  for (const { executable = '', marked } of named) {
    ok(executable.startsWith('/'));
    equal(marked[0]?.startsWith('['), false);
  }
});
