import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, globSync, mkdirSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { putBusybox } from './images.ts';

/** The folder of the agent in its image. */
export const HOME = 'opt/vcml-agent';

/** What deploy/Dockerfile says of the image. */
export const AGENT_CONFIG = {
  Env: ['PATH=/usr/local/bin:/bin'],
  Entrypoint: [join('/', HOME, 'bin/vcml-agent')],
  Cmd: ['run'],
};

/** Bundles the agent of a checkout that is built, and puts it into a layer with all that it needs. */
export function putAgent(layer: string, checkout: string): void {
  const home = join(layer, HOME);
  execFileSync(process.execPath, [join(checkout, 'deploy/bundle.ts'), home], { cwd: checkout });
  putBusybox(layer);
  mkdirSync(join(layer, 'usr/local/bin'), { recursive: true });
  symlinkSync(join('/', HOME, 'bin/vcml-agent'), join(layer, 'usr/local/bin/vcml-agent'));
  putLibraries(
    layer,
    ...globSync(join(home, 'node_modules/node*/bin/node')),
    join(home, 'build/vcml_hook.node'),
  );
}

/** Copies the shared libraries that files need, each to its own path. */
function putLibraries(root: string, ...files: readonly string[]): void {
  const lines = execFileSync('ldd', files, { encoding: 'utf8' });
  for (const [path] of lines.matchAll(/\/[^ :]+\.so[^ ]*(?= \(0x)/g)) {
    if (existsSync(join(root, path))) continue;
    mkdirSync(dirname(join(root, path)), { recursive: true });
    copyFileSync(path, join(root, path));
  }
}
