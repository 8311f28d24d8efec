import { deepEqual, match, throws } from 'node:assert/strict';
import { test } from 'node:test';
import { uuid5 } from '../check/uuid.ts';
import { BOOT_ID } from '../support/ids.ts';
import { execLine, execLines } from '../support/journal/lines.ts';
import { judgeHistory, provesHistory } from '../support/otlp/history.ts';

const JOURNAL = execLines(0, 6);

/** A record about withheld numbers of one CPU; execLine(n) has number n, of CPU n % 2. */
const withheld = (cpu: number, ranges: readonly string[], count: number, name = ranges.join()) =>
  `{"id":"${uuid5(BOOT_ID, `1:journal.withheld:${cpu}:${name}`)}","timestamp":1,"actor":{}` +
  ',"action":"journal.withheld","permitted_by":"root_event:journal.withheld","parent_cause":null,' +
  `"resource":{},"attributes":{"vcml.boot.id":"${BOOT_ID}","vcml.boot_time":"1",` +
  `"vcml.hook.id":"1","vcml.withheld.hook_id":"1","vcml.withheld.cpu":${cpu},` +
  `"vcml.withheld.ranges":${JSON.stringify(ranges)},"vcml.withheld.count":${count}}}`;

for (const [what, received, excused] of [
  ['each line once', JOURNAL, []],
  ['a part that is sent again from its beginning', [...execLines(0, 4), ...execLines(2, 6)], []],
  ['everything twice', [...JOURNAL, ...JOURNAL], []],
  ['no line that is excused', [...execLines(0, 2), ...execLines(3, 6)], execLines(2, 3)],
  ['a line that is excused and arrived', JOURNAL, execLines(2, 3)],
  ['a line that is withheld', [...execLines(0, 5), withheld(1, ['5-5'], 1)], []],
  [
    'withheld lines in two cuts, and one of them twice',
    [execLine(0), execLine(1), execLine(3), execLine(4), execLine(5)]
      .concat(withheld(0, ['2-2'], 1), withheld(0, ['2-2'], 1))
      .filter((line) => line !== execLine(4))
      .concat(withheld(0, ['2-2', '4-4'], 2)),
    [],
  ],
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
  ['a line is withheld and here', [...JOURNAL, withheld(1, ['5-5'], 1)], /^withheld, and here: /],
  [
    'a foreign number',
    [...JOURNAL, withheld(0, ['5-5'], 1)],
    /^withheld, and not in the journal: /,
  ],
  ['a wrong count', [...execLines(0, 5), withheld(1, ['5-5'], 2)], /^an unsound journal.withheld/],
  [
    'a wrong id',
    [...execLines(0, 5), withheld(1, ['5-5'], 1, '5')],
    /^an unsound journal.withheld/,
  ],
  [
    'ranges without a number between them',
    [...execLines(0, 5), withheld(1, ['4-4', '5-5'], 2)],
    /^an unsound journal.withheld/,
  ],
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
