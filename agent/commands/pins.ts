import { readdirSync, readFileSync, statSync } from 'node:fs';

const PROGRAMS = ['on_exit', 'on_exec', 'on_fork', 'on_cgroup_mkdir', 'on_cgroup_rmdir'];
const MAPS = ['control_page', 'causes', 'cpus', 'scratches', 'events', 'cgroups'];

/** The pins, by their names in the folder; native/kernel_side.cc sets the names. */
export interface Pins {
  /** Whether all programs of one generation and all maps are pinned, so that the kernel records. */
  readonly complete: boolean;
  /** names of the pins of this agent */
  readonly names: readonly string[];
  /** what is missing, of the generation that is most complete */
  readonly missing: readonly string[];
  /** the process that holds the hook; 0: a process of another pid namespace */
  readonly holder: number | undefined;
  /** why the folder could not be read */
  readonly why?: string;
}

/** Reads the folder of pins without changing anything. */
export function readPins(dir: string): Pins {
  try {
    refuseUnsafe(dir);
    const names = readdirSync(dir).filter(isOurs).sort();
    const missing = missingOf(names);
    return { complete: missing.length === 0, names, missing, holder: holderOf(dir) };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const none = { complete: false, names: [], holder: undefined };
    if (code === 'ENOENT') return { ...none, missing: missingOf([]) };
    return { ...none, missing: [], why: message };
  }
}

/** What others can replace says nothing; native/bpffs.cc refuses it as well. */
function refuseUnsafe(dir: string): void {
  const { uid, mode } = statSync(dir);
  if (uid !== 0 && uid !== process.geteuid?.()) throw new Error(`${dir} belongs to uid ${uid}`);
  if ((mode & 0o022) !== 0) throw new Error(`${dir} can be written by others`);
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

/** Finds the agent that holds the hook by its lock on the folder; proc_locks(5) lists device, inode and process. */
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
