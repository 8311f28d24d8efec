import { equal } from 'node:assert/strict';
import { test } from 'node:test';
import { createGlobs } from '../../../agent/enrich/pods/globs.ts';

test('keys are selected by name or by glob', () => {
  const cases: readonly [globs: string[], key: string, matches: boolean][] = [
    [[], 'app', false],
    [['app'], 'app', true],
    [['app'], 'apps', false],
    [['app'], 'my/app', false],
    [['*'], 'app.kubernetes.io/name', true],
    [['app.kubernetes.io/*'], 'app.kubernetes.io/name', true],
    [['app.kubernetes.io/*'], 'appXkubernetes.io/name', false],
    [['*/name'], 'app.kubernetes.io/name', true],
    [['a*c'], 'abc', true],
    [['a*c'], 'abcd', false],
    [['team', 'app*'], 'team', true],
    [['team', 'app*'], 'teams', false],
    [['a|b'], 'a', false],
    [['(.*'], 'app', false],
  ];
  for (const [globs, key, matches] of cases)
    equal(createGlobs(globs)(key), matches, `${globs} ${key}`);
});
