import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { type LogsData, linesOf } from '../../support/otlp/otlp.ts';
import { decodeRequest } from '../../support/otlp/protobuf.ts';
import { built } from '../../support/paths.ts';
import { bundleLife } from './bundle.ts';
import type { Scenario } from './scenarios.ts';

/** Where a process that is killed leaves everything that outlives it. */
export interface World {
  readonly folder: string;
  readonly journal: string;
  /** every change of files so far, as kill-at traces it */
  readonly trace: string;
}

/** One life of the process under test. */
export interface Life {
  /** the number of its calls that change or sync files */
  readonly calls: number;
  /** the last of them */
  readonly last: string;
  /** 128 plus the signal's number for a killed process */
  readonly code: number;
  readonly stderr: string;
}

/** The calls that fail, by their numbers. */
export interface Fault {
  readonly first: number;
  readonly last: number;
  readonly error: 'ENOSPC' | 'EIO';
}

/** A folder in memory, where the bundled process and the worlds are. */
export class Bench implements Disposable {
  readonly #root: string;
  #worlds = 0;

  private constructor(root: string) {
    this.#root = root;
  }

  /** Bundles the process under test. */
  static async create(): Promise<Bench> {
    const memory = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();
    const bench = new Bench(mkdtempSync(join(memory, 'vcml-killpoints-')));
    await bundleLife(join(bench.#root, 'life.cjs'));
    return bench;
  }

  /** Makes a world in which nothing has happened. */
  world(): World {
    const folder = join(this.#root, `w${this.#worlds++}`);
    mkdirSync(folder);
    writeFileSync(join(folder, 'kernel'), '');
    return { folder, journal: join(folder, 'journal'), trace: `${folder}.trace` };
  }

  remove({ folder, trace }: World): void {
    rmSync(folder, { recursive: true, force: true });
    rmSync(trace, { force: true });
  }

  [Symbol.dispose](): void {
    rmSync(this.#root, { recursive: true, force: true });
  }

  /** Runs the process on a boot of the world's machine until its end, or to call number `kill`. */
  async live(
    { folder, trace }: World,
    { name }: Scenario,
    boot: number,
    kill = 0,
    fault?: Fault,
  ): Promise<Life> {
    const faults = fault === undefined ? '-' : `${fault.first}-${fault.last}:${fault.error}`;
    const program = [process.execPath, join(this.#root, 'life.cjs'), folder, name, `${boot}`];
    const child = spawn(built('programs/kill-at'), [folder, `${kill}`, faults, trace, ...program], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, NODE_COMPILE_CACHE: join(this.#root, 'cache') },
    });
    const [stdout, stderr, [code]] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      once(child, 'close'),
    ]);
    const [, calls = '', last = ''] = /^(\d+) (.*)$/m.exec(stdout) ?? [];
    return { calls: Number(calls), last, code, stderr };
  }
}

/** Returns the lines that the world's collector has received, in their order. */
export function receivedIn({ folder }: World): string[] {
  const bytes = readFileSync(join(folder, 'received'));
  const lines: string[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = at + 4 + bytes.readUInt32LE(at);
    lines.push(...linesOf(decodeRequest(bytes.subarray(at + 4, end)) as LogsData));
    at = end;
  }
  return lines;
}
