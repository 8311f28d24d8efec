import { readdir, stat } from 'node:fs/promises';
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
  const there = (
    await Promise.all(dirs.map(async (dir) => ((await isFolder(dir)) ? [dir] : [])))
  ).flat();
  if (there.length === 0) {
    const found = `no runtime keeps its state in ${dirs.join(', ')}`;
    if (metadata === 'none') return off(found);
    return failed(found, 'set runtime.type in the chart, or runtimeDirs, to that of this node');
  }
  const folders = await listBundleFolders(there);
  const bundles = await Promise.all(folders.map(({ folder }) => countBundles(folder)));
  const running = bundles.reduce((sum, count) => sum + count, 0);
  if (folders.length === 0) return ok(there.join(', '));
  return ok(`${there.join(', ')}; ${running} containers run`);
}

async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}

async function countBundles(folder: string): Promise<number> {
  return (await readdir(folder).catch(() => [])).filter(hasFiles).length;
}
