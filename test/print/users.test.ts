import { equal } from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { createUserNames } from '../../agent/print/users.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

test('a uid has the first name that the file gives it, or stands for itself', (t) => {
  const file = join(temporaryFolder(t), 'passwd');
  writeFileSync(file, 'root:x:0:0::/:/bin/sh\ntoor:x:0:0::/:/bin/sh\n\nbad\n:x:5:5::/:\nx:x::1:\n');
  const nameOf = createUserNames(file);
  equal(nameOf(0), 'root');
  equal(nameOf(5), '5');
  equal(nameOf(4_294_967_295), '4294967295');
});

test('without the file every uid stands for itself', () => {
  equal(createUserNames('/nonexistent/passwd')(0), '0');
});
