import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';

const LOCK = join(import.meta.dirname, '../package-lock.json');

/** A package as the lock file has it. */
export interface Locked {
  readonly version: string;
  readonly integrity: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

/** Returns what the lock file says of a package. */
export function locked(name: string): Locked {
  const found = JSON.parse(readFileSync(LOCK, 'utf8')).packages[`node_modules/${name}`];
  if (found === undefined) throw new Error(`package-lock.json has no ${name}`);
  return found;
}

/**
 * Fetches a package, for this platform or another, into a folder, in the version and with the hash
 * of the lock file: all of it, or the named files.
 */
export function fetchPackage(name: string, to: string, files?: readonly string[]): void {
  const { version, integrity } = locked(name);
  rmSync(to, { recursive: true, force: true });
  mkdirSync(to, { recursive: true });
  const pack = ['pack', '--silent', `${name}@${version}`, '--pack-destination', to];
  const archive = join(to, basename(execFileSync('npm', pack, { encoding: 'utf8' }).trim()));
  const digest = `sha512-${createHash('sha512').update(readFileSync(archive)).digest('base64')}`;
  if (digest !== integrity)
    throw new Error(`${archive} is not what package-lock.json says: ${digest}, not ${integrity}`);
  const wanted = (files ?? ['']).map((file) => join('package', file));
  execFileSync('tar', ['-xmf', archive, '-C', to, '--strip-components=1', ...wanted]);
  rmSync(archive);
}
