import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';
import { ROOT } from '../support/paths.ts';

/** A part of a form, as the forge reads it. */
interface Element {
  readonly type: string;
  readonly id?: string;
  readonly attributes: {
    readonly label?: string;
    readonly value?: string;
    readonly options?: readonly (string | { readonly label: string })[];
  };
}

const FORMS = globSync('.github/ISSUE_TEMPLATE/*.yml', { cwd: ROOT });

for (const file of FORMS)
  test(`the forge accepts the form ${file}`, () => {
    const form = parse(readFileSync(join(ROOT, file), 'utf8'));
    deepEqual(Object.keys(form), ['name', 'description', 'title', 'labels', 'body']);
    const body: readonly Element[] = form.body;
    for (const { type, id, attributes } of body) {
      if (type === 'markdown') {
        ok(attributes.value);
        continue;
      }
      match(type, /^(textarea|input|dropdown|checkboxes)$/);
      match(id ?? '', /^[\w-]+$/);
      ok(attributes.label);
      if (type === 'dropdown' || type === 'checkboxes') {
        const options = attributes.options?.map((option) => JSON.stringify(option)) ?? [];
        ok(options.length > 0);
        equal(new Set(options).size, options.length);
      }
    }
    const ids = body.flatMap(({ id = [] }) => id);
    ok(ids.length > 0);
    equal(new Set(ids).size, ids.length);
  });

test('a documented file that a form or the template names is there', () => {
  const files = [...FORMS, '.github/pull_request_template.md'];
  equal(FORMS.length, 4);
  for (const file of files) {
    const text = readFileSync(join(ROOT, file), 'utf8');
    const named = text.match(/\b(?:[\w-]+\/)*[A-Za-z-]+\.md\b|\bdocs\/[\w-]+\//g) ?? [];
    for (const path of named) ok(globSync(path, { cwd: ROOT }).length > 0, `${file}: ${path}`);
  }
});
