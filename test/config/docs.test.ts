import { equal } from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ROOT } from '../support/paths.ts';

test('docs/configuration.md is up to date', () => {
  const generator = join(ROOT, 'agent/config/generate-docs.ts');
  const fresh = execFileSync(process.execPath, [generator], { encoding: 'utf8' });
  equal(readFileSync(join(ROOT, 'docs/configuration.md'), 'utf8'), fresh);
});
