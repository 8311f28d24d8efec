import { deepEqual, match, throws } from 'node:assert/strict';
import { test } from 'node:test';
import { execLine, execLines } from '../support/journal/lines.ts';
import { judgeHistory, provesHistory } from '../support/otlp/history.ts';

const JOURNAL = execLines(0, 6);

for (const [what, received, excused] of [
  ['each line once', JOURNAL, []],
  ['a part that is sent again from its beginning', [...execLines(0, 4), ...execLines(2, 6)], []],
  ['everything twice', [...JOURNAL, ...JOURNAL], []],
  ['no line that is excused', [...execLines(0, 2), ...execLines(3, 6)], execLines(2, 3)],
  ['a line that is excused and arrived', JOURNAL, execLines(2, 3)],
] as const)
  test(`a sound history: ${what}`, () => {
    deepEqual(judgeHistory({ received, journal: JOURNAL, excused }), []);
  });

for (const [what, received, finding] of [
  ['nothing', [], /^missing: .*000000000000"/],
  ['a line is missing', [...execLines(0, 2), ...execLines(3, 6)], /^missing: .*000000000002"/],
  ['the last line is missing', execLines(0, 5), /^missing: .*000000000005"/],
  ['a foreign line', [...JOURNAL, execLine(9)], /^not in the journal: .*000000000009"/],
  ['something that is no record', ['', ...JOURNAL], /^not in the journal: /],
  ['another text', [...execLines(0, 5), execLine(5, { comm: 'q' })], /^changed: .*"q"/],
  ['another text in a repeat', [...JOURNAL, execLine(5, { comm: 'q' })], /^changed: .*"q"/],
  [
    'two lines are exchanged',
    [...execLines(0, 3), execLine(4), execLine(3), execLine(5)],
    /^out of order: .*000000000004 instead of .*000000000003$/,
  ],
  [
    'a part comes late',
    [...execLines(3, 6), ...execLines(0, 3)],
    /^out of order: .*000000000003 instead of .*000000000000$/,
  ],
] as const)
  test(`an unsound history: ${what}`, () => {
    const history = { received, journal: JOURNAL };
    match(judgeHistory(history).at(0) ?? '', finding);
    throws(() => provesHistory(history), { code: 'ERR_ASSERTION' });
  });

test('a journal that has an id twice is a finding, too', () => {
  const journal = [...JOURNAL, execLine(0)];
  deepEqual(judgeHistory({ received: JOURNAL, journal }), ['the journal has an id twice']);
});
