import { readdir } from 'node:fs/promises';
import type { Config } from '../../config/schema.ts';
import { readControllers, readRoots } from '../../enrich/cgroups/cgroup-files.ts';
import { hasFiles, listBundleFolders, RUNTIME_DIRS } from '../../enrich/runtimes/runtimes.ts';
import { type Check, failed, off, ok } from './finding.ts';

/** What the agent needs to name containers, by the name of the check. */
export function containerChecks(config: Config): [string, Check][] {
  return [
    ['cgroups', checkCgroups],
    ['runtime', () => checkRuntime(config)],
  ];
}

function checkCgroups() {
  const roots = readRoots('/proc', readControllers('/proc/self/cgroup'));
  const whole = roots.filter(({ isRoot }) => isRoot);
  if (whole.length > 0) return ok(whole.map(({ point }) => point).join(', '));
  return failed(
    'the root of no cgroup hierarchy is mounted here, so containers are not found',
    'mount the node’s /sys/fs/cgroup into the pod, as the chart does (hostPaths.cgroup)',
  );
}

async function checkRuntime({ metadata, runtimeDirs }: Config) {
  const dirs = [...RUNTIME_DIRS, ...runtimeDirs];
  const used: string[] = [];
  for (const dir of dirs) if (await isUsed(dir)) used.push(dir);
  if (used.length === 0) {
    const found = `no runtime keeps its state in ${dirs.join(', ')}`;
    if (metadata === 'none') return off(found);
    return failed(found, 'set runtime.type in the chart, or runtimeDirs, to that of this node');
  }
  const folders = await listBundleFolders(used);
  const counts = await Promise.all(folders.map(({ folder }) => countBundles(folder)));
  const running = counts.reduce((sum, count) => sum + count, 0);
  const known = folders.length === 0 ? '' : `; ${running} containers run`;
  return ok(`${used.join(', ')}${known}`);
}

/**
 * Whether there is more in a folder than empty folders: the kubelet makes those where a volume of the pod
 * is to be mounted and the node has nothing.
 */
async function isUsed(dir: string): Promise<boolean> {
  for (const entry of await readdir(dir, { withFileTypes: true }).catch(() => [])) {
    if (!entry.isDirectory()) return true;
    const inside = await readdir(`${dir}/${entry.name}`).catch(() => []);
    if (inside.length > 0) return true;
  }
  return false;
}

async function countBundles(folder: string): Promise<number> {
  return (await readdir(folder).catch(() => [])).filter(hasFiles).length;
}
