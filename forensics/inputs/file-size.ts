import { statSync } from 'node:fs';

/** Returns the size of a file in bytes; undefined: it is not there any more. */
export function fileSize(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.size;
}
