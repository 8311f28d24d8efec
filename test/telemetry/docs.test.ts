import { equal } from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ROOT } from '../support/paths.ts';

test('docs/metrics.md is up to date', () => {
  const generator = join(ROOT, 'agent/telemetry/generate-docs.ts');
  const fresh = execFileSync(process.execPath, [generator], { encoding: 'utf8' });
  equal(readFileSync(join(ROOT, 'docs/metrics.md'), 'utf8'), fresh);
});
