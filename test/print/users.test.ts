import { equal } from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { createUserNames } from '../../agent/print/users.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

test('a uid is shown by its first name in the file, or else as a number', (t) => {
  const file = join(temporaryFolder(t), 'passwd');
  writeFileSync(file, 'root:x:0:0::/:/bin/sh\ntoor:x:0:0::/:/bin/sh\n\nbad\n:x:5:5::/:\nx:x::1:\n');
  const nameOf = createUserNames(file);
  equal(nameOf(0), 'root');
  equal(nameOf(5), '5');
  equal(nameOf(4_294_967_295), '4294967295');
});

test('without the file every uid is shown as a number', () => {
  equal(createUserNames('/nonexistent/passwd')(0), '0');
});
