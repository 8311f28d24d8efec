import { match } from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ROOT } from '../support/paths.ts';

const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');

test('what the library does not document was checked with the version that is installed', () => {
  const { version } = JSON.parse(read('node_modules/@grpc/grpc-js/package.json'));
  match(read('agent/export/connect/grpc-internals.ts'), new RegExp(`@grpc/grpc-js ${version}\\.`));
});
