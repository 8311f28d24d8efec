import { rmSync } from 'node:fs';
import { open } from 'node:fs/promises';
import type { Listed, S3 } from './client.ts';

const TRIES = 3;

/**
 * Writes the content of an object to a new file that only the user can open. Rejects if it cannot be
 * read in full, or is not what was listed; no file is left then.
 */
export async function fetchObject(
  s3: S3,
  object: Listed,
  path: string,
  onBytes: (bytes: number) => void,
): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    let written = 0;
    // The client itself repeats a request that got no answer.
    let hasAnswer = false;
    const file = await open(path, 'wx', 0o600);
    try {
      const content = await s3.get(object);
      hasAnswer = true;
      for await (const bytes of content) {
        // A disk has no room for a content without an end.
        if (written + bytes.length > object.bytes)
          throw new Error(`it has ${object.bytes} bytes, and more came`);
        await file.writeFile(bytes);
        written += bytes.length;
        onBytes(bytes.length);
      }
      if (written === object.bytes) return;
      throw new Error(`it has ${object.bytes} bytes, and ${written} came`);
    } catch (error) {
      rmSync(path, { force: true });
      onBytes(-written);
      if (!hasAnswer || tries === TRIES || isFull(error)) throw error;
    } finally {
      await file.close();
    }
  }
}

/** Whether a disk is full. */
export function isFull(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ENOSPC';
}
