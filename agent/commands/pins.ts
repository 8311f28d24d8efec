import { readdirSync, readFileSync, statSync } from 'node:fs';

const PROGRAMS = ['on_exit', 'on_exec', 'on_fork', 'on_cgroup_mkdir', 'on_cgroup_rmdir'];
const MAPS = ['control_page', 'causes', 'cpus', 'scratches', 'events', 'cgroups'];

/** What is pinned, as far as the folder's names tell; native/kernel_side.cc gives them. */
export interface Pins {
  /** All programs of one generation, and all maps: the kernel records. */
  readonly complete: boolean;
  /** pins of ours, by name */
  readonly names: readonly string[];
  /** what is not there, of the generation that lacks least; everything, where nothing is there */
  readonly missing: readonly string[];
  /** the process that holds the hook; 0: one that cannot be seen from here */
  readonly holder: number | undefined;
  /** why the folder could not be read */
  readonly why?: string;
}

/** Looks at the folder for pins, and touches nothing. */
export function readPins(dir: string): Pins {
  try {
    const names = readdirSync(dir).filter(isOurs).sort();
    const missing = missingOf(names);
    return { complete: missing.length === 0, names, missing, holder: holderOf(dir) };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const none = { complete: false, names: [], missing: missingOf([]), holder: undefined };
    return code === 'ENOENT' ? none : { ...none, why: message };
  }
}

function isOurs(name: string): boolean {
  const [, program = ''] = /^(?:program_)?(.+)_\d+$/.exec(name) ?? [];
  return MAPS.includes(name) || PROGRAMS.includes(program);
}

function missingOf(names: readonly string[]): string[] {
  const generations = new Set(names.map((name) => /_(\d+)$/.exec(name)?.[1] ?? '1'));
  const candidates = [...generations.add('1')].map((generation) =>
    [...MAPS, ...PROGRAMS.map((program) => `${program}_${generation}`)].filter(
      (name) => !names.includes(name),
    ),
  );
  return candidates.reduce((least, one) => (one.length < least.length ? one : least));
}

/** An agent holds the hook by a lock on the folder: proc_locks(5) tells device, inode and process. */
function holderOf(dir: string): number | undefined {
  const { dev, ino } = statSync(dir, { bigint: true });
  const major = ((dev >> 8n) & 0xfffn) | ((dev >> 32n) & ~0xfffn);
  const minor = (dev & 0xffn) | ((dev >> 12n) & ~0xffn);
  const hex = (value: bigint) => value.toString(16).padStart(2, '0');
  const file = `${hex(major)}:${hex(minor)}:${ino}`;
  for (const line of readFileSync('/proc/locks', 'utf8').split('\n')) {
    const [, kind, , , pid, at] = line.split(/\s+/);
    if (kind === 'FLOCK' && at === file) return Number(pid);
  }
  return undefined;
}
