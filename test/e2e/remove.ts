import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { AGENT_BIN } from '../support/paths.ts';
import { killCgroup, removeCgroup } from './cgroups.ts';
import { BPFFS, CGROUP, DIR, NETWORK_NAMESPACE, OUTSIDE_LINK, PINS } from './place.ts';

/** The file that exists if the cluster mounted the bpffs. */
export const BPFFS_MARK = `${DIR}/bpffs-mounted`;
/** The file that exists if the cluster shared the mount of `/`. */
export const ROOT_MARK = `${DIR}/root-shared`;

/** The folders outside that the components create and that no option moves. */
const OUTSIDE = [
  '/run/containerd',
  '/run/netns',
  '/usr/libexec/kubernetes',
  '/var/lib/cni',
  '/var/lib/containers/cache',
  '/var/lib/kubelet',
  '/var/log/containers',
];
const OUTSIDE_LIST = `${DIR}/outside`;

/** The file that names the process to which the cluster belongs. */
export const OWNER = `${DIR}/owner`;

/** Notes which folders do not exist yet; their later content belongs to the cluster. */
export function noteOutside(): void {
  writeFileSync(OUTSIDE_LIST, JSON.stringify(OUTSIDE.filter((folder) => !existsSync(folder))));
}

/** Removes a cluster that its process has left behind. */
export function removeAbandoned(): void {
  const owner = existsSync(OWNER) ? readFileSync(OWNER, 'utf8') : 'none';
  if (!existsSync(`/proc/${owner}`)) removeCluster();
}

/**
 * Removes a cluster in any state: its processes, the hook of its agent, mounts, network, cgroups and
 * files. It does not wait for callbacks, so that a process can do it last.
 */
export function removeCluster(): void {
  if (!existsSync(DIR)) return;
  const isRootShared = existsSync(ROOT_MARK);
  killCgroup(CGROUP);
  // It refuses while an agent outside of the cluster holds the hook; the rest is removed all the same.
  if (existsSync(PINS))
    spawnSync(AGENT_BIN, ['detach', '--discard', '--pin-dir', PINS], { stdio: 'inherit' });
  if (existsSync(BPFFS_MARK)) spawnSync('umount', ['--lazy', BPFFS]);
  spawnSync('ip', ['link', 'delete', OUTSIDE_LINK], { stdio: 'ignore' });
  spawnSync('ip', ['netns', 'delete', NETWORK_NAMESPACE], { stdio: 'ignore' });
  removeCgroup(CGROUP);
  for (const folder of [...outside(), DIR]) {
    unmountIn(folder);
    rmSync(folder, { recursive: true, force: true });
  }
  // Somebody else may keep images there meanwhile.
  spawnSync('rmdir', ['/var/lib/containers'], { stdio: 'ignore' });
  // Each mount had a copy below the bind mounts of `/`; as long as it is shared, both end together.
  if (isRootShared) spawnSync('mount', ['--make-private', '/']);
}

/** Unmounts what is in a folder, the innermost first. One end of a shared mount can take the others along. */
function unmountIn(dir: string): void {
  for (let point = lastMountIn(dir); point !== undefined; point = lastMountIn(dir))
    execFileSync('umount', ['--lazy', point]);
}

/** Returns the mount that was made last; `ip netns` mounts its folder on itself. */
function lastMountIn(dir: string): string | undefined {
  return readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[1] ?? '')
    .findLast((point) => `${point}/`.startsWith(`${dir}/`));
}

function outside(): string[] {
  return existsSync(OUTSIDE_LIST) ? JSON.parse(readFileSync(OUTSIDE_LIST, 'utf8')) : [];
}
