import { equal, match, ok } from 'node:assert/strict';
import { test } from 'node:test';
import * as z from 'zod';
import { values } from '../../../helm/values.ts';
import { HELMS, refusal, templateText } from './template.ts';

/** Every value and every group of values, as its path. */
function paths(group: z.ZodObject, prefix: readonly string[] = []): string[][] {
  return Object.entries(group.shape).flatMap(([key, field]) => {
    const path = [...prefix, key];
    return field instanceof z.ZodObject ? [path, ...paths(field, path)] : [path];
  });
}

/** Returns values in which only one is set, to null. */
function nullAt(path: readonly string[]): string {
  return JSON.stringify(path.reduceRight<unknown>((inner, key) => ({ [key]: inner }), null));
}

for (const helm of HELMS)
  test(`${helm}: null either stands for an empty value, or is refused by the name of the value`, () => {
    let refused = 0;
    for (const path of paths(values)) {
      const name = path.join('.');
      const said = refusal(nullAt(path), helm);
      if (said === '') {
        const text = templateText(nullAt(path), helm);
        ok(!/: *(<nil>|null|<no value>)$|%!|<nil>|^ *null$/m.test(text), name);
      } else if (name.startsWith('config.')) {
        match(said, new RegExp(`config[./]${path[1]}`), name);
        match(said, /null/, name);
      } else {
        ok(said.includes(`${name} is null; leave it out, and its default applies`), said);
      }
      refused += said === '' ? 0 : 1;
    }
    ok(refused > 60, `${refused} were refused`);
  });

test('null empties lists and free-form maps that have defaults', () => {
  for (const [values, absent] of [
    ['nodeSelector: null', /nodeSelector/],
    ['tolerations: null', /^ {6}tolerations/m],
    ['seccompProfile: null', /seccompProfile/],
    ['capabilities: null', /^ {14}add:/m],
    ['livenessProbe: null', /failureThreshold: 6/],
    ['updateStrategy: null', /updateStrategy/],
    ['hostPaths: {machineId: null}', /machine-id/],
  ] as const) {
    match(templateText(), absent);
    equal(absent.test(templateText(values)), false, values);
  }
  match(templateText('resources: null'), /memory: \d+Mi/);
});
