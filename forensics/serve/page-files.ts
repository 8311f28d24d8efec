import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ForensicsError } from '../errors.ts';
import { BUILT } from '../installed.ts';

const FOLDER = join(BUILT, 'serve');

/** A file of the page. */
export interface PageFile {
  readonly type: string;
  readonly content: Buffer;
}

const FILES = [
  ['/', 'page.html', 'text/html'],
  ['/page.js', 'page.js', 'text/javascript'],
  ['/page.css', 'page.css', 'text/css'],
  ['/favicon.svg', 'favicon.svg', 'image/svg+xml'],
] as const;

/** Reads the files of the page, which `make build` makes, by their paths in an address. */
export function readPageFiles(): ReadonlyMap<string, PageFile> {
  try {
    return new Map(
      FILES.map(([path, name, type]) => [
        path,
        { type: `${type}; charset=utf-8`, content: readFileSync(join(FOLDER, name)) },
      ]),
    );
  } catch (cause) {
    throw new ForensicsError('unreadable', `no page in ${FOLDER}: run \`make build\``, { cause });
  }
}
