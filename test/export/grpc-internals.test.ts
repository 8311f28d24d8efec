import { match } from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ROOT } from '../support/paths.ts';

const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');

test('the internals of the library were checked with the installed version', () => {
  const { version } = JSON.parse(read('node_modules/@grpc/grpc-js/package.json'));
  match(read('agent/export/connect/grpc-internals.ts'), new RegExp(`@grpc/grpc-js ${version}\\.`));
});
