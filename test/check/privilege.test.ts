import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkJournal } from './check.ts';
import { lines, rules, sound } from './craft.ts';

const NONE = '0'.repeat(16);
const SOME = '0000000000002000';
const EFFECTIVE = 'vcml.process.capabilities.effective';
const GAINED = 'vcml.privilege.gained';
const SETUID = { 'vcml.executable.mode': '4755', 'process.user.id': 7, [GAINED]: ['setuid'] };
const SETGID = {
  'vcml.executable.mode': '2755',
  'vcml.process.effective_group.id': 7,
  [GAINED]: ['setgid'],
};

const CASES: readonly (readonly [what: string, attributes: object, findings: readonly string[]])[] =
  [
    ['setuid', SETUID, []],
    ['setgid', SETGID, []],
    [
      'both',
      { ...SETGID, ...SETUID, 'vcml.executable.mode': '6755', [GAINED]: ['setuid', 'setgid'] },
      [],
    ],
    ['nothing', { ...SETUID, [GAINED]: [] }, ['privilege']],
    ['the same twice', { ...SETUID, [GAINED]: ['setuid', 'setuid'] }, ['privilege']],
    ['another bit', { ...SETUID, [GAINED]: ['sticky'] }, ['type']],
    ['a bit that the file has not', { ...SETUID, 'vcml.executable.mode': '2755' }, ['privilege']],
    ['a group that may not execute', { ...SETGID, 'vcml.executable.mode': '2745' }, ['privilege']],
    ['the real user', { ...SETUID, 'process.user.id': 0 }, ['privilege']],
    ['no_new_privs', { ...SETUID, 'vcml.process.no_new_privs': true }, ['privilege']],
    ['a filter', { 'vcml.process.seccomp': 'filter' }, []],
    ['an unknown mode of seccomp', { 'vcml.process.seccomp': 'dead' }, ['type']],
    [
      'every set',
      Object.fromEntries(
        [NONE, SOME, SOME, SOME, SOME].map((set, n) => [
          `vcml.process.capabilities.${['effective', 'permitted', 'inheritable', 'bounding', 'ambient'][n]}`,
          set,
        ]),
      ),
      [],
    ],
    ['no bounding set', { [EFFECTIVE]: NONE, 'vcml.process.capabilities.bounding': NONE }, []],
    ['a short set', { 'vcml.process.capabilities.ambient': '2000' }, ['type']],
    ['an empty set', { 'vcml.process.capabilities.ambient': NONE }, ['capabilities']],
    [
      'an empty inheritable set',
      { 'vcml.process.capabilities.inheritable': NONE },
      ['capabilities'],
    ],
    [
      'the permitted set that is the effective one',
      { [EFFECTIVE]: SOME, 'vcml.process.capabilities.permitted': SOME },
      ['capabilities'],
    ],
    [
      'the bounding set that is the effective one',
      { [EFFECTIVE]: SOME, 'vcml.process.capabilities.bounding': SOME },
      ['capabilities'],
    ],
  ];
for (const [what, attributes, findings] of CASES)
  test(`privileges are judged: ${what}`, () => {
    const journal = sound();
    Object.assign(journal.root.attributes, attributes);
    const found = rules(checkJournal(lines(Object.values(journal))));
    assert.deepEqual([...new Set(found)], findings);
  });
