import { execFileSync } from 'node:child_process';

/** Mounts a bpffs into which only root can write, as the agent's messages say. */
export function mountBpffs(folder: string): void {
  const options = 'mode=0700,nosuid,nodev,noexec';
  execFileSync('mount', ['-t', 'bpf', '-o', options, 'bpf', folder]);
}
