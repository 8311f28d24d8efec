import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';

/** Where a test registers its clean-up: its context, or the end of its file. */
export interface CleanUp {
  after(cleanUp: () => unknown): void;
}

/** Makes a folder that is removed with its content when the test, or else the file, ends. */
export function temporaryFolder(t: CleanUp = { after }): string {
  const folder = mkdtempSync(join(tmpdir(), 'vcml-test-'));
  t.after(() => rmSync(folder, { recursive: true, force: true, maxRetries: 10 }));
  return folder;
}
