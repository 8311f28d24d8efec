import { readlinkSync, statSync } from 'node:fs';
import type { Log } from '../telemetry/log.ts';

/** The first pid namespace of every kernel (PROC_PID_INIT_INO in linux/proc_ns.h). */
const HOST_PID_NAMESPACE = 'pid:[4026531836]';

/** Of kthreadd, which every kernel has as process 2, with all capabilities. */
const OTHERS = '/proc/2/ns/mnt';

/** Says once what the agent may not see, and what records lack for that; see privileges.md. */
export function tellUnseen(log: Log): void {
  if (readlinkSync('/proc/self/ns/pid') !== HOST_PID_NAMESPACE)
    log.warn(
      { remedy: 'run the agent in the host’s pid namespace (hostPID: true)' },
      'other processes are not seen: gaps do not name them, and vcml.entry may be missing',
    );
  else if (!isReadable(OTHERS))
    log.warn(
      { remedy: 'run the agent with CAP_SYS_PTRACE, and let AppArmor allow it ptrace (read)' },
      'other processes may not be looked into: gaps do not name their executables, and in a mount ' +
        'namespace of its own the agent does not know the host’s, so vcml.entry may be missing',
    );
}

function isReadable(path: string): boolean {
  try {
    statSync(path);
    return true;
  } catch {
    return false;
  }
}
