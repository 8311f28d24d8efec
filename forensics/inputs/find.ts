import { existsSync, globSync, readdirSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { ForensicsError } from '../errors.ts';

/** A file of records and its journal. */
export interface Found {
  readonly path: string;
  /** The folder of a segment, or else the file itself. Lines of one journal are in order. */
  readonly journal: string;
}

const SEGMENT = /^\d{20}\.jsonl(\.zst)?$/;
const LINES = /\.(jsonl|ndjson|json)(\.zst)?$/;

/**
 * Finds the files that paths name: files, folders with everything in them, globs. Segments come in
 * their order and once; if both forms exist, the compressed one. Throws if a path names nothing.
 */
export function findFiles(paths: readonly string[]): Found[] {
  const found = new Map<string, Found>();
  for (const path of paths) {
    const files = filesOf(path);
    if (files.length === 0)
      throw new ForensicsError('unreadable', `${path}: no such file, or no records in this folder`);
    for (const file of files) found.set(file.path, file);
  }
  return [...found.values()].filter(({ path }) => !found.has(`${path}.zst`));
}

function filesOf(path: string): Found[] {
  if (existsSync(path)) return statSync(path).isDirectory() ? filesBelow(path) : [fileOf(path)];
  return globSync(path)
    .sort()
    .flatMap((match) => (statSync(match).isDirectory() ? filesBelow(match) : [fileOf(match)]));
}

/** A journal's folder contains other files as well, which are not records. */
function filesBelow(directory: string): Found[] {
  const entries = readdirSync(directory, { withFileTypes: true }).sort((a, b) =>
    a.name < b.name ? -1 : 1,
  );
  const isFile = (name: string) => !entries.some((e) => e.name === name && e.isDirectory());
  const names = entries.map(({ name }) => name).filter(isFile);
  const segments = names.filter((name) => SEGMENT.test(name));
  const files = segments.length > 0 ? segments : names.filter((name) => LINES.test(name));
  const folders = entries.filter((entry) => entry.isDirectory());
  return [
    ...files.map((name) => fileOf(join(directory, name))),
    ...folders.flatMap(({ name }) => filesBelow(join(directory, name))),
  ];
}

function fileOf(path: string): Found {
  return { path, journal: SEGMENT.test(basename(path)) ? dirname(path) : path };
}
