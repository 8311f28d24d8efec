import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkJournal } from './check.ts';
import { lines, rules, sound } from './craft.ts';

const UNIT = {
  'vcml.unit': 'a.service',
  'vcml.entry': 'start',
  'vcml.authority.type': 'unit',
  'vcml.authority.id': 'a.service',
};
const LOGIN = {
  'vcml.process.login_uid': 1000,
  'vcml.unit': 'session-3.scope',
  'vcml.entry': 'session',
  'vcml.authority.type': 'login',
  'vcml.authority.id': '1000',
};
const { 'vcml.entry': _, ...NO_ENTRY } = UNIT;
const { 'vcml.authority.id': __, ...NO_ID } = UNIT;

const CASES: readonly (readonly [what: string, attributes: object, findings: readonly string[]])[] =
  [
    ['a unit', UNIT, []],
    ['a login', LOGIN, []],
    [
      'a login from elsewhere',
      { ...LOGIN, 'vcml.authority.remote': '192.0.2.7', 'vcml.authority.claimed': true },
      [],
    ],
    ['no entry', NO_ENTRY, ['authority']],
    ['no id', NO_ID, ['authority']],
    ['another unit', { ...UNIT, 'vcml.authority.id': 'b.service' }, ['authority']],
    ['another user', { ...LOGIN, 'vcml.authority.id': '1001' }, ['authority']],
    ['a login without a session', { ...LOGIN, 'vcml.entry': 'exec' }, ['authority']],
    ['a pod on the host', { ...UNIT, 'vcml.authority.type': 'pod' }, ['authority']],
    ['a unit that was matched', { ...UNIT, 'vcml.authority.matched': true }, ['authority']],
    ['a remote that nobody claims', { ...LOGIN, 'vcml.authority.remote': '::1' }, ['authority']],
  ];
for (const [what, attributes, findings] of CASES)
  test(`what permitted an entry is judged: ${what}`, () => {
    const journal = sound();
    Object.assign(journal.root.attributes, attributes);
    const found = rules(checkJournal(lines(Object.values(journal))));
    assert.deepEqual([...new Set(found)], findings);
  });
