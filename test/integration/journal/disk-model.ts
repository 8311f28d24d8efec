import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Seeded } from '../../support/scripted/seeded.ts';

/** One operation on a folder's files, or a line that its process had printed. */
export type Operation =
  | { readonly kind: 'create' | 'unlink' | 'sync'; readonly name: string }
  | { readonly kind: 'write'; readonly name: string; readonly bytes: Buffer }
  | {
      readonly kind: 'overwrite';
      readonly name: string;
      readonly at: number;
      readonly bytes: Buffer;
    }
  | { readonly kind: 'truncate'; readonly name: string; readonly size: number }
  | { readonly kind: 'rename'; readonly name: string; readonly to: string }
  | { readonly kind: 'printed'; readonly text: string };

/** Reads a trace that faults.c wrote; the folder itself has the name of `.`. */
export function readTrace(file: string, dir: string): Operation[] {
  const bytes = readFileSync(file);
  const operations: Operation[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = bytes.indexOf(0x0a, at);
    const [kind = '', path = '', first = '', second = ''] = bytes
      .toString('utf8', at, end)
      .split(' ');
    at = end + 1;
    const name = path === dir ? '.' : basename(path);
    if (kind === 'write' || kind === 'overwrite') {
      const written = bytes.subarray(at, at + Number(second));
      operations.push(
        kind === 'write'
          ? { kind, name, bytes: written }
          : { kind, name, at: Number(first), bytes: written },
      );
      at += Number(second);
    } else if (kind === 'truncate') operations.push({ kind, name, size: Number(first) });
    else if (kind === 'rename') operations.push({ kind, name, to: basename(first) });
    else if (kind === 'printed') operations.push({ kind, text: path });
    else if (kind === 'create' || kind === 'unlink' || kind === 'sync')
      operations.push({ kind, name });
    else throw new Error(`not a trace: ${kind}`);
  }
  return operations;
}

interface File {
  bytes: Buffer;
  /** the number of them that are surely on disk */
  synced: number;
}

/** A change of the folder's names, in the order in which they were made. */
interface Change {
  readonly name: string;
  readonly file: File | undefined;
  /** of a rename */
  readonly from: string | undefined;
  synced: boolean;
}

/** The unsynced changes that reached the disk nevertheless. */
export interface Luck {
  /** whether a change of names reached it */
  change(): boolean;
  /** how many of the bytes after a file's last sync reached it */
  bytes(most: number): number;
  /** the part of those that reads as zeros */
  hole(bytes: number): readonly [from: number, to: number];
}

/** Everything reached the disk, but a part of each file reads as zeros. */
export function luckWithHoles({ below }: Seeded): Luck {
  return {
    change: () => true,
    bytes: (most) => most,
    hole(bytes) {
      const from = below(bytes + 1);
      return [from, from + below(bytes - from + 1)];
    },
  };
}

/** A folder on a disk that is sure to keep only what was synced. */
export class DiskModel {
  readonly #changes: Change[] = [];
  /** as the process sees them */
  readonly #files = new Map<string, File>();

  apply(operation: Operation): void {
    if (operation.kind === 'printed') return;
    const { kind, name } = operation;
    const file = this.#files.get(name);
    if (kind === 'sync') this.beginSync(name)();
    else if (kind === 'create') {
      const created = { bytes: Buffer.alloc(0), synced: 0 };
      this.#files.set(name, created);
      this.#changes.push({ name, file: created, from: undefined, synced: false });
    } else if (file === undefined)
      return; // the lock, which is no file
    else if (kind === 'write') file.bytes = Buffer.concat([file.bytes, operation.bytes]);
    else if (kind === 'overwrite') {
      const { at, bytes } = operation;
      file.bytes = Buffer.concat([
        file.bytes.subarray(0, at),
        bytes,
        file.bytes.subarray(at + bytes.length),
      ]);
      // What a power cut leaves of the old bytes and of the new ones, nobody may rely on.
      file.synced = Math.min(file.synced, at);
    } else if (kind === 'truncate') {
      file.bytes = file.bytes.subarray(0, operation.size);
      file.synced = Math.min(file.synced, operation.size);
    } else {
      this.#files.delete(name);
      if (kind === 'rename') this.#files.set(operation.to, file);
      this.#changes.push(
        kind === 'rename'
          ? { name: operation.to, file, from: name, synced: false }
          : { name, file: undefined, from: undefined, synced: false },
      );
    }
  }

  /** Begins a sync of what is there now; what it returns ends it. */
  beginSync(name: string): () => void {
    if (name === '.') {
      const before = [...this.#changes];
      return () => {
        for (const change of before) change.synced = true;
      };
    }
    const file = this.#files.get(name);
    const size = file?.bytes.length ?? 0;
    return () => {
      if (file !== undefined)
        file.synced = Math.max(file.synced, Math.min(size, file.bytes.length));
    };
  }

  /** Writes the files that remain after a power cut into a new folder. */
  cut(dir: string, luck: Luck): void {
    const names = new Map<string, File>();
    for (const { name, file, from, synced } of this.#changes) {
      if (!synced && !luck.change()) continue;
      if (from !== undefined) names.delete(from);
      if (file === undefined) names.delete(name);
      else names.set(name, file);
    }
    mkdirSync(dir, { mode: 0o700 });
    for (const [name, { bytes, synced }] of names) {
      const lucky = luck.bytes(bytes.length - synced);
      const [from, to] = luck.hole(lucky);
      const kept = Buffer.from(bytes.subarray(0, synced + lucky));
      writeFileSync(join(dir, name), kept.fill(0, synced + from, synced + to), { mode: 0o600 });
    }
  }
}
