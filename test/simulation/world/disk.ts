import fs from 'node:fs';
import { basename, dirname, join } from 'node:path';
import {
  DiskModel,
  type Luck,
  luckWithHoles,
  type Operation,
} from '../../integration/journal/disk-model.ts';
import type { Seeded } from '../../support/scripted/seeded.ts';
import { Killed, type Kind, type Life } from './life.ts';
import { Syncs } from './syncs.ts';

const { O_CREAT } = fs.constants;

/**
 * The folder of a journal: real files, and a model of what a power cut would leave. Every
 * change is a step of the agent's life.
 */
export class Disk {
  life: Life | undefined;
  /** every change since the last power cut, or since the beginning */
  operations: Operation[] = [];
  readonly syncs = new Syncs();
  readonly #now: () => number;
  #dir: string;
  #model = new DiskModel();
  readonly #open = new Map<number, string>();

  constructor(dir: string, now: () => number) {
    this.#dir = dir;
    this.#now = now;
  }

  /** The folder; another one after a power cut. */
  get dir(): string {
    return this.#dir;
  }

  /** Returns the name of a file of the folder, and `.` for the folder; undefined: it is elsewhere. */
  nameOf(path: unknown): string | undefined {
    if (typeof path !== 'string') return undefined;
    if (path === this.#dir) return '.';
    return dirname(path) === this.#dir ? basename(path) : undefined;
  }

  /** Makes a change, unless the disk or the life do not allow it. */
  change<T>(kind: Kind, operation: Operation | undefined, effect: () => T): T {
    this.life?.step(kind);
    const result = effect();
    if (operation !== undefined) this.#apply(operation);
    return result;
  }

  /** Opens a file, and makes it if its flags say so. */
  open(path: string, flags: string | number, mode?: number): number {
    if (this.life?.isAlive === false) throw new Killed();
    const name = this.nameOf(path);
    const mayCreate = typeof flags === 'number' ? (flags & O_CREAT) !== 0 : /[wa]/.test(flags);
    const effect = () => fs.openSync(path, flags, mode);
    const fd =
      name !== undefined && mayCreate && !isThere(path)
        ? this.change('create', { kind: 'create', name }, effect)
        : effect();
    this.#open.set(fd, path);
    return fd;
  }

  rename(path: string, to: string): void {
    const [name, next] = [this.nameOf(path), this.nameOf(to)];
    const isOurs = name !== undefined && next !== undefined && isThere(path);
    if (!isOurs) fs.renameSync(path, to);
    else this.change('rename', { kind: 'rename', name, to: next }, () => fs.renameSync(path, to));
  }

  remove(path: string): void {
    const name = this.nameOf(path);
    if (name === undefined || !isThere(path)) fs.unlinkSync(path);
    else this.change('unlink', { kind: 'unlink', name }, () => fs.unlinkSync(path));
  }

  /** Writes some or all of the bytes; returns how many. */
  write(fd: number, bytes: Buffer): number {
    const name = this.nameOf(this.#open.get(fd));
    if (name === undefined) return fs.writeSync(fd, bytes);
    const taken = this.#taken(name, bytes.length);
    const part = bytes.subarray(0, taken);
    if (taken > 0) {
      fs.writeSync(fd, part);
      this.#apply({ kind: 'write', name, bytes: Buffer.from(part) });
    }
    if (this.life?.isAlive === false) throw new Killed();
    return taken;
  }

  /** Writes bytes in place, which takes no room. */
  overwrite(fd: number, bytes: Buffer, at: number): number {
    const name = this.nameOf(this.#open.get(fd));
    const operation =
      name === undefined
        ? undefined
        : { kind: 'overwrite' as const, name, at, bytes: Buffer.from(bytes) };
    return this.change('overwrite', operation, () => fs.writeSync(fd, bytes, 0, bytes.length, at));
  }

  /** Begins a sync of an open file or folder; what it returns ends it. */
  sync(fd: number): () => void {
    const name = this.nameOf(this.#open.get(fd));
    if (name === undefined) return () => {};
    try {
      this.life?.step('sync');
    } catch (error) {
      if (!(error instanceof Killed)) this.syncs.failed(name, this.#now());
      throw error;
    }
    const end = this.#model.beginSync(name);
    const note = this.syncs.begin(name);
    return () => {
      end();
      note();
    };
  }

  truncate(fd: number, size: number): void {
    const name = this.nameOf(this.#open.get(fd));
    const operation = name === undefined ? undefined : { kind: 'truncate' as const, name, size };
    this.change('truncate', operation, () => fs.ftruncateSync(fd, size));
  }

  close(fd: number): void {
    if (this.life?.isAlive === false) throw new Killed();
    this.#open.delete(fd);
    fs.closeSync(fd);
  }

  /** Closes what a killed agent had open. */
  release(): void {
    for (const fd of this.#open.keys()) fs.closeSync(fd);
    this.#open.clear();
  }

  /** Leaves in another folder what a power cut would leave now. */
  wouldLeave(dir: string, luck: Luck): void {
    this.#model.cut(dir, luck);
  }

  /** Cuts the power: what remains is in another folder, and is all on disk. */
  cut(luck: Luck): void {
    const next = `${this.#dir}+`;
    this.#model.cut(next, luck);
    fs.rmSync(this.#dir, { recursive: true, force: true });
    this.#dir = next;
    this.#model = new DiskModel();
    this.operations = [];
    this.syncs.forget();
    for (const name of fs.readdirSync(next)) {
      const file = join(next, name);
      this.#model.apply({ kind: 'create', name });
      this.#model.apply({ kind: 'write', name, bytes: fs.readFileSync(file) });
      this.#model.apply({ kind: 'sync', name });
    }
    this.#model.apply({ kind: 'sync', name: '.' });
  }

  #taken(name: string, bytes: number): number {
    try {
      return this.life?.stepOfWrite(bytes) ?? bytes;
    } catch (error) {
      // What was written of these lines so far is to be cut off, and not to be synced.
      if (!(error instanceof Killed)) this.syncs.refused(name);
      throw error;
    }
  }

  #apply(operation: Operation): void {
    this.operations.push(operation);
    this.#model.apply(operation);
    this.syncs.note(operation, this.#now());
  }
}

/** Whether a path is there, even as a link without a target. */
export function isThere(path: string): boolean {
  return fs.lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}

/**
 * Nothing more than what was synced; or some of it, in each file another part; or all names, and each
 * file whole or not at all; or all of it, but with holes.
 */
export function luckOf(seeded: Seeded): Luck {
  const { below, percent } = seeded;
  const whole = (): [number, number] => [0, 0];
  switch (below(5)) {
    case 0:
      return { change: () => false, bytes: () => 0, hole: whole };
    case 1:
      return {
        change: () => percent(50),
        bytes: (most) => [0, most, below(most + 1)][below(3)] ?? 0,
        hole: whole,
      };
    case 2:
      return { change: () => percent(50), bytes: (most) => most, hole: whole };
    case 3:
      return { change: () => true, bytes: (most) => (percent(50) ? most : 0), hole: whole };
    default:
      return luckWithHoles(seeded);
  }
}
