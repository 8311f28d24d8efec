import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { auditOf, type Placed } from '../../forensics/commands/audit.ts';
import { Journals } from '../../forensics/journals.ts';
import { VCML_BIN } from './paths.ts';

const TIMEOUT_MS = 120_000;

/** The output of a run of `bin/vcml`, and its exit code. */
export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A folder for a test's files; `close` removes it. */
export class Folder {
  readonly path = mkdtempSync(join(tmpdir(), 'vcml-forensics-'));

  /** Writes a file, and makes the folders in its name. */
  write(name: string, content: string | Uint8Array): string {
    const path = join(this.path, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
    return path;
  }

  /** Writes lines with line feeds. */
  journal(name: string, lines: readonly string[]): string {
    return this.write(name, lines.map((line) => `${line}\n`).join(''));
  }

  close(): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

/** Returns the name of a segment. */
export function segment(number: number): string {
  return `${String(number).padStart(20, '0')}.jsonl`;
}

/** Runs `bin/vcml` to its end. */
export function vcml(...args: readonly string[]): Promise<Ran> {
  return vcmlWith({}, ...args);
}

/** Runs `bin/vcml` with these variables of its environment. */
export function vcmlWith(
  env: Readonly<Record<string, string>>,
  ...args: readonly string[]
): Promise<Ran> {
  return new Promise((resolve) => {
    const options = { timeout: TIMEOUT_MS, maxBuffer: 1 << 28, env: { ...process.env, ...env } };
    const child = execFile(VCML_BIN, args, options, (_, stdout, stderr) =>
      resolve({ code: child.exitCode ?? -1, stdout, stderr }),
    );
  });
}

/**
 * Returns what a command remarks on stderr, without the line about completeness that ends each answer, and
 * those of an audit about inputs without checkpoints.
 */
export function remarksIn(stderr: string): string {
  return stderr
    .replace(/vcml: complete: .*\r?\n/, '')
    .replaceAll(/vcml: .*(whether lines were changed|changes in \w+ cannot be found).*\r?\n/g, '');
}

/** Opens files for a test. */
export async function opened<T>(
  paths: readonly string[],
  use: (journals: Journals) => Promise<T>,
): Promise<T> {
  const journals = await Journals.open(paths);
  try {
    return await use(journals);
  } finally {
    journals.close();
  }
}

/** Returns what `audit` finds in files. */
export async function audited(...paths: readonly string[]): Promise<Placed[]> {
  const { findings } = await opened(paths, (journals) => auditOf(journals));
  return findings;
}
