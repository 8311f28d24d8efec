import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { promisify } from 'node:util';

/** Where the unified hierarchy is mounted here. */
export function unified(): string {
  for (const line of readFileSync('/proc/self/mountinfo', 'utf8').split('\n'))
    if (line.includes(' - cgroup2 ')) return line.split(' ')[4] ?? '';
  throw new Error('no cgroup2 is mounted');
}

/** Makes the cgroup of a pod's container; it is removed when the test ends. Returns its folder. */
export function makePodContainer(
  t: { after(cleanUp: () => void): void },
  uid: string,
  id: string,
): string {
  const slice = `${unified()}/kubepods-besteffort-pod${uid.replaceAll('-', '_')}.slice`;
  const folder = `${slice}/cri-containerd-${id}.scope`;
  mkdirSync(folder, { recursive: true });
  t.after(() => {
    for (const made of [folder, dirname(folder)]) if (existsSync(made)) rmdirSync(made);
  });
  return folder;
}

/** Executes `true` this many times, one after the other, in its own cgroup and mount namespace. */
export async function executeIn(folder: string, times: number, marker: string): Promise<void> {
  const inside = `for i in $(seq ${times}); do /bin/true ${marker}; done`;
  const script = 'echo $$ >"$1/cgroup.procs"; exec unshare --mount bash -c "$2"';
  await promisify(execFile)('bash', ['-c', script, 'bash', folder, inside]);
}
