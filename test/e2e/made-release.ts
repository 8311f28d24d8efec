import { execFileSync } from 'node:child_process';
import { mkdirSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../support/paths.ts';

/** The architecture of this machine, the only one that a cluster here can run. */
const ARCHITECTURE = process.arch === 'x64' ? 'amd64' : process.arch;
/** The time of everything in the releases, in Unix seconds. */
const EPOCH = '1790000000';

/**
 * Makes a release from a checkout whose agent and packages are built, as `make release` does, but for one
 * architecture; returns its folder.
 */
export function makeRelease(checkout: string, folder: string): string {
  const run = (command: string, ...args: readonly string[]) =>
    execFileSync(join(checkout, command), args, {
      cwd: checkout,
      env: { ...process.env, SOURCE_DATE_EPOCH: EPOCH },
      stdio: ['ignore', 'ignore', 'inherit'],
    });
  const node = (script: string, ...args: readonly string[]) =>
    run('node_modules/.bin/node', join(checkout, script), ...args);
  const parts = join(folder, 'parts', ARCHITECTURE);
  const reader = join(folder, 'reader');
  node('deploy/bundle.ts', join(parts, 'agent/opt/vcml-agent'));
  run('deploy/release/prepare-image', ARCHITECTURE, parts);
  node('deploy/reader.ts', join(reader, 'package'));
  node('deploy/release/pack-reader.ts', join(reader, 'package'), reader, 'https://x.example');
  renameSync(join(reader, 'package/sbom.spdx.json'), join(reader, 'sbom.spdx.json'));
  rmSync(join(reader, 'package'), { recursive: true });
  const release = join(folder, 'release');
  node('deploy/release/build.ts', release, join(folder, 'parts'), reader, ARCHITECTURE);
  return release;
}

/** Makes a checkout of a later version, with the changes that are not committed yet, whose kernel side is another one; returns its folder. */
export function nextSource(folder: string, version: string): string {
  const git = (...args: readonly string[]) =>
    execFileSync('git', ['-c', 'safe.directory=*', ...args], { stdio: 'pipe' });
  const upload = '--upload-pack=git -c safe.directory=* upload-pack';
  git('clone', '--quiet', '--shared', upload, ROOT, folder);
  const changes = git('-C', ROOT, 'diff', 'HEAD', '--binary');
  if (changes.length > 0)
    execFileSync('git', ['apply'], { cwd: folder, input: changes, stdio: 'pipe' });
  const files = ['package.json', 'helm/vcml-agent/Chart.yaml'].map((name) => join(folder, name));
  const said = String.raw`s/^(  "version": "|(appV|v)ersion: )[0-9.]+/\1${version}/`;
  execFileSync('sed', ['-i', '-E', said, ...files]);
  const author = ['-c', 'user.name=test', '-c', 'user.email=test@example.com'];
  git(...author, '-C', folder, 'commit', '--quiet', '--all', '--message', `release: ${version}`);
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  mkdirSync(join(folder, 'build'));
  const built = ['report', 'serve', 'scanner.wasm', 'causes.wasm', 'vcml_hook.node'];
  for (const name of built) symlinkSync(join(ROOT, 'build', name), join(folder, 'build', name));
  // Its content identifies a kernel side.
  const added = `.comment.next=${join(folder, 'package.json')}`;
  const object = 'build/exec.bpf.o';
  execFileSync('llvm-objcopy', ['--add-section', added, join(ROOT, object), join(folder, object)]);
  return folder;
}
