import { execFileSync } from 'node:child_process';
import { copyFileSync, cpSync, existsSync, mkdirSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { archive, BUILD, imageRoot, putBusybox } from './images.ts';
import { BIN } from './network.ts';

const ROOT = join(import.meta.dirname, '../..');
const REPOSITORY = 'localhost/vcml-agent';

/** The agent's image that is made here. */
export const AGENT_IMAGE = `${REPOSITORY}:e2e`;

/** Values of the chart for the images that are made here. */
export const IMAGES = [
  ...[`image.repository=${REPOSITORY}`, 'image.tag=e2e'],
  ...['collector.image.repository=localhost/otelcol', 'collector.image.tag=e2e'],
];

/**
 * Makes the agent's image as deploy/Dockerfile does, but on this machine's libraries, since no registry
 * is needed for them; another one, tagged `next`, with a changed kernel side; and the Collector's. The
 * archives' paths.
 */
export function buildAgentImages(): string[] {
  const bundle = join(BUILD, 'e2e/bundle');
  execFileSync(process.execPath, [join(ROOT, 'deploy/bundle.ts'), bundle], { cwd: ROOT });
  const config = {
    Env: ['PATH=/usr/local/bin:/bin'],
    Entrypoint: ['/opt/vcml-agent/bin/vcml-agent'],
    Cmd: ['run'],
  };
  const agents = (['e2e', 'next'] as const).map((tag) => {
    const root = imageRoot(`agent-${tag}`);
    putBusybox(root);
    const home = join(root, 'opt/vcml-agent');
    cpSync(bundle, home, { recursive: true });
    if (tag === 'next') {
      // Enough for another kernel side: it is known by its content.
      const object = join(home, 'build/exec.bpf.o');
      const added = `.comment.next=${join(ROOT, 'package.json')}`;
      execFileSync('llvm-objcopy', [
        '--add-section',
        added,
        join(bundle, 'build/exec.bpf.o'),
        object,
      ]);
    }
    mkdirSync(join(root, 'usr/local/bin'), { recursive: true });
    symlinkSync('/opt/vcml-agent/bin/vcml-agent', join(root, 'usr/local/bin/vcml-agent'));
    putLibraries(
      root,
      join(home, 'node_modules/node/bin/node'),
      join(home, 'build/vcml_hook.node'),
    );
    return archive(root, `${REPOSITORY}:${tag}`, config);
  });
  const collector = imageRoot('otelcol');
  copyFileSync(join(BIN, 'otelcol'), join(collector, 'otelcol'));
  return [...agents, archive(collector, 'localhost/otelcol:e2e', { Entrypoint: ['/otelcol'] })];
}

/** Copies the shared libraries that files need, each to its own place. */
function putLibraries(root: string, ...files: readonly string[]): void {
  const lines = execFileSync('ldd', files, { encoding: 'utf8' });
  for (const [path] of lines.matchAll(/\/[^ :]+\.so[^ ]*(?= \(0x)/g)) {
    if (existsSync(join(root, path))) continue;
    mkdirSync(dirname(join(root, path)), { recursive: true });
    copyFileSync(path, join(root, path));
  }
}
