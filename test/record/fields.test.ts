import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { COLUMNS } from '../../forensics/columns.ts';
import { CORE, OTLP_KEYS } from '../../record/fields/core.ts';
import { RESOURCE } from '../../record/fields/resource.ts';
import { ATTRIBUTES, columnOf, KEYS } from '../../record/fields.ts';
import { ROOT } from '../support/paths.ts';

const ALL = [...Object.values(CORE), ...Object.values(ATTRIBUTES), ...Object.values(RESOURCE)];

test('every field is declared once, with a unique key', () => {
  const keys = ALL.map(({ key }) => key);
  assert.deepEqual(
    keys.filter((key, index) => keys.indexOf(key) !== index),
    [],
  );
});

test('no attribute has the key of a core field in OTLP', () => {
  const attributes = new Set<string>(Object.values(ATTRIBUTES).map(({ key }) => key));
  for (const key of Object.values(OTLP_KEYS)) assert.ok(!attributes.has(key), key);
});

test('attributes have names of OpenTelemetry or of this project', () => {
  for (const { key } of [...Object.values(ATTRIBUTES), ...Object.values(RESOURCE)])
    assert.match(key, /^(vcml|process|container|k8s|host|os|service)(\.[a-z][a-z0-9_]*)+$/);
});

test('every field says in a sentence what it is, and when a record has it', () => {
  for (const { key, about, when } of ALL) {
    assert.match(about, /^[`A-Z].*\.$/s, key);
    assert.match(when, /^[a-z].*[^.]$/s, key);
  }
});

test('keys are found by name', () => {
  assert.equal(KEYS.gapReason, 'vcml.gap.reason');
  assert.equal(KEYS.podName, 'k8s.pod.name');
  assert.equal(OTLP_KEYS.permittedBy, 'vcml.permitted_by');
  assert.ok(!('timestamp' in OTLP_KEYS));
});

test('every core field and every attribute is a column of the reader', () => {
  assert.equal(columnOf('gapLostCause'), 'gap_lost_cause');
  const columns = [...Object.keys(CORE), ...Object.keys(ATTRIBUTES)].map(columnOf);
  assert.deepEqual(COLUMNS.slice(0, columns.length), columns);
});

test('no other source contains a literal key', () => {
  const keys = [...Object.values(KEYS), ...Object.values(OTLP_KEYS)];
  const literal = new RegExp(
    `(?:['"]|attributes\\.)(${keys.map((key) => RegExp.escape(key)).join('|')})['"\`]`,
  );
  const files = globSync('{agent,forensics,record}/**/*.ts', { cwd: ROOT }).filter(
    (path) => !isExempt(path),
  );
  assert.ok(files.length > 200);
  const found = files.filter((file) => literal.test(readFileSync(join(ROOT, file), 'utf8')));
  assert.deepEqual(found, []);
});

/** What the pages hold imports no declaration, only the type of a key, which tsc compares. */
function isExempt(path: string): boolean {
  return /^(record\/fields|record\/describe\.ts|forensics\/(report|serve)\/page)/.test(path);
}
