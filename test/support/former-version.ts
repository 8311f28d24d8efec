import { execFileSync, spawnSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './paths.ts';

/** The commit of 0.1.0. */
const COMMIT = 'c657698fd4f8abcb61668b74c61bd1a0c3d848c6';
/** Says which version of Node a bundle of it has, below its node_modules. */
const NODE_MANIFEST = 'node/package.json';
const BUILT = ['build/exec.bpf.o', 'build/vcml_hook.node'];

/** Returns why 0.1.0 cannot be built here; false: it can. */
export function whyNoFormerVersion(): string | false {
  const { status } = git('cat-file', '-e', `${COMMIT}^{commit}`);
  return status === 0 ? false : 'this clone does not have the commit of 0.1.0';
}

/** Builds 0.1.0, agent and kernel side, unless that was done before; returns its folder. */
export function formerVersion(): string {
  const root = join(ROOT, 'build/0.1.0');
  // An earlier build may lack it.
  if (!existsSync(join(root, 'node_modules', NODE_MANIFEST))) {
    rmSync(root, { recursive: true, force: true });
    const aside = `${root}.tmp`;
    rmSync(aside, { recursive: true, force: true });
    mkdirSync(join(aside, 'build'), { recursive: true });
    execFileSync('tar', ['-x', '-C', aside], { input: git('archive', COMMIT).stdout });
    linkPackages(join(aside, 'node_modules'));
    // The Debian packages that the present version is built with suffice.
    writeFileSync(join(aside, 'build/apt.stamp'), '');
    const { MAKEFLAGS, MAKELEVEL, ...env } = process.env;
    execFileSync('make', ['--silent', ...BUILT], { cwd: aside, env });
    renameSync(aside, root);
  }
  return root;
}

/** Shares npm's packages; 0.1.0 looks for Node's binary and headers inside of the package `node`. */
function linkPackages(into: string): void {
  const packages = join(ROOT, 'node_modules');
  mkdirSync(join(into, 'node/node_modules'), { recursive: true });
  for (const name of readdirSync(packages)) {
    const link = name.startsWith('node-linux-') ? join('node/node_modules', name) : name;
    if (name !== 'node') symlinkSync(join(packages, name), join(into, link));
    if (link !== name)
      copyFileSync(join(packages, name, 'package.json'), join(into, NODE_MANIFEST));
  }
}

function git(...args: readonly string[]) {
  return spawnSync('git', ['-c', 'safe.directory=*', '-C', ROOT, ...args], {
    maxBuffer: 1 << 28,
  });
}
