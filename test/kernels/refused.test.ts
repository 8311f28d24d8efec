import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { REFUSED } from './refused.ts';

const CASES = join(import.meta.dirname, '../system/lineage');

test('every case that a kernel refuses is a test', () => {
  const sources = readdirSync(CASES).map((name) => readFileSync(join(CASES, name), 'utf8'));
  for (const [kernel, cases] of Object.entries(REFUSED))
    for (const title of cases.keys())
      assert.ok(
        sources.some((source) => source.includes(`test('${title}'`)),
        `${kernel}: no test has the title “${title}”`,
      );
});
