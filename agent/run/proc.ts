import { readFileSync, readlinkSync, statSync } from 'node:fs';

/** The first pid namespace of every kernel (PROC_PID_INIT_INO in linux/proc_ns.h). */
const HOST_PID_NAMESPACE = 'pid:[4026531836]';

/** Returns what records say about the agent's own process. */
export function ownProcess() {
  const { pid, ppid } = process;
  return {
    pid,
    ppid,
    uid: process.getuid?.() ?? 0,
    gid: process.getgid?.() ?? 0,
    comm: readFileSync('/proc/self/comm', 'utf8').trim(),
    executable: readlinkSync('/proc/self/exe'),
  };
}

/** No mount namespace has this inode. */
const NO_NAMESPACE = 0;

/**
 * Returns the inode of the host's mount namespace: that of init or kthreadd, else the agent's own.
 * Outside of the host's pid namespace nobody knows it: process 1 is the agent, and its mount
 * namespace that of its container.
 */
export function hostMountNamespace(isHostVisible = isInHostPidNamespace()): number {
  if (!isHostVisible) return NO_NAMESPACE;
  const inode = mountNamespaceOf(1) ?? mountNamespaceOf(2);
  return inode ?? statSync('/proc/self/ns/mnt').ino;
}

/** Whether the agent sees the processes of the host. */
export function isInHostPidNamespace(): boolean {
  return readlinkSync('/proc/self/ns/pid') === HOST_PID_NAMESPACE;
}

/** Returns the event of the log that says what the agent cannot see of other processes; undefined: it sees all. */
export function unseenProcesses(): 'run.pid_namespace_missing' | 'run.ptrace_missing' | undefined {
  if (!isInHostPidNamespace()) return 'run.pid_namespace_missing';
  // kthreadd has all capabilities, and is process 2 of every kernel.
  return mountNamespaceOf(2) === undefined ? 'run.ptrace_missing' : undefined;
}

function mountNamespaceOf(pid: number): number | undefined {
  try {
    return statSync(`/proc/${pid}/ns/mnt`).ino;
  } catch {
    return undefined;
  }
}
