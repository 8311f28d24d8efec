import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { killCgroup, removeCgroup } from './cgroups.ts';
import { BPFFS, CGROUP, DIR, NETWORK_NAMESPACE } from './place.ts';

/** Whoever mounted the bpffs for the cluster left this file. */
export const BPFFS_MARK = `${DIR}/bpffs-mounted`;

/** Folders outside that the components make, and that none of their options moves. */
const OUTSIDE = [
  '/run/containerd',
  '/run/netns',
  '/usr/libexec/kubernetes',
  '/var/lib/cni',
  '/var/lib/kubelet',
  '/var/log/containers',
];
const OUTSIDE_LIST = `${DIR}/outside`;

/** The process whose cluster it is. */
export const OWNER = `${DIR}/owner`;

/** Notes which folders are not there yet: what is in them later is the cluster's. */
export function noteOutside(): void {
  writeFileSync(OUTSIDE_LIST, JSON.stringify(OUTSIDE.filter((folder) => !existsSync(folder))));
}

/** Takes a cluster away whose process has not done so itself. */
export function removeAbandoned(): void {
  const owner = existsSync(OWNER) ? readFileSync(OWNER, 'utf8') : 'none';
  if (!existsSync(`/proc/${owner}`)) removeCluster();
}

/**
 * Takes a cluster away, whatever state it is in: its processes, mounts, network, cgroups and files.
 * It does not wait for callbacks, so that it can be the last thing that a process does.
 */
export function removeCluster(): void {
  if (!existsSync(DIR)) return;
  killCgroup(CGROUP);
  if (existsSync(BPFFS_MARK)) spawnSync('umount', ['--lazy', BPFFS]);
  spawnSync('ip', ['netns', 'delete', NETWORK_NAMESPACE], { stdio: 'ignore' });
  removeCgroup(CGROUP);
  for (const folder of [...outside(), DIR]) {
    for (const point of mountsIn(folder)) execFileSync('umount', ['--lazy', point]);
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The innermost first; `ip netns` mounts its folder on itself. */
function mountsIn(dir: string): string[] {
  return readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[1] ?? '')
    .filter((point) => `${point}/`.startsWith(`${dir}/`))
    .reverse();
}

function outside(): string[] {
  return existsSync(OUTSIDE_LIST) ? JSON.parse(readFileSync(OUTSIDE_LIST, 'utf8')) : [];
}
