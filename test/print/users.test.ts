import { equal } from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { createUserNames } from '../../agent/print/users.ts';

test('a uid has the first name that the file gives it, or stands for itself', () => {
  const folder = mkdtempSync(join(tmpdir(), 'vcml-users-'));
  const file = join(folder, 'passwd');
  writeFileSync(file, 'root:x:0:0::/:/bin/sh\ntoor:x:0:0::/:/bin/sh\n\nbad\n:x:5:5::/:\nx:x::1:\n');
  try {
    const nameOf = createUserNames(file);
    equal(nameOf(0), 'root');
    equal(nameOf(5), '5');
    equal(nameOf(4_294_967_295), '4294967295');
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('without the file every uid stands for itself', () => {
  equal(createUserNames('/nonexistent/passwd')(0), '0');
});
