/**
 * Builds the agent's image as deploy/Dockerfile does, another one with a changed kernel side, and that
 * of the Collector. They contain this machine's libraries, so that no registry is needed.
 */

import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, globSync, mkdirSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ROOT } from '../support/paths.ts';
import {
  AGENT_IMAGE,
  AGENT_IMAGES,
  COLLECTOR_IMAGE,
  LAYERS,
  NEXT_TAG,
  REPOSITORY,
} from './agent-image.ts';
import { createLayer, putBusybox, writeArchive } from './images.ts';
import { BIN } from './network.ts';

const HOME = 'opt/vcml-agent';
const OBJECT = join(HOME, 'build/exec.bpf.o');

const agent = createLayer(LAYERS, 'agent');
const home = join(agent, HOME);
execFileSync(process.execPath, [join(ROOT, 'deploy/bundle.ts'), home], { cwd: ROOT });
putBusybox(agent);
mkdirSync(join(agent, 'usr/local/bin'), { recursive: true });
symlinkSync(join('/', HOME, 'bin/vcml-agent'), join(agent, 'usr/local/bin/vcml-agent'));
putLibraries(
  agent,
  ...globSync(join(home, 'node_modules/node-linux-*/bin/node')),
  join(home, 'build/vcml_hook.node'),
);

const next = createLayer(LAYERS, 'next');
mkdirSync(dirname(join(next, OBJECT)), { recursive: true });
// This makes it another kernel side, because its content identifies it.
const added = `.comment.next=${join(ROOT, 'package.json')}`;
execFileSync('llvm-objcopy', ['--add-section', added, join(agent, OBJECT), join(next, OBJECT)]);

const collector = createLayer(LAYERS, 'otelcol');
copyFileSync(join(BIN, 'otelcol'), join(collector, 'otelcol'));

const config = {
  Env: ['PATH=/usr/local/bin:/bin'],
  Entrypoint: [join('/', HOME, 'bin/vcml-agent')],
  Cmd: ['run'],
};
writeArchive(AGENT_IMAGES, [
  { tag: AGENT_IMAGE, layers: [agent], config },
  { tag: `${REPOSITORY}:${NEXT_TAG}`, layers: [agent, next], config },
  { tag: COLLECTOR_IMAGE, layers: [collector], config: { Entrypoint: ['/otelcol'] } },
]);

/** Copies the shared libraries that files need, each to its own path. */
function putLibraries(root: string, ...files: readonly string[]): void {
  const lines = execFileSync('ldd', files, { encoding: 'utf8' });
  for (const [path] of lines.matchAll(/\/[^ :]+\.so[^ ]*(?= \(0x)/g)) {
    if (existsSync(join(root, path))) continue;
    mkdirSync(dirname(join(root, path)), { recursive: true });
    copyFileSync(path, join(root, path));
  }
}
