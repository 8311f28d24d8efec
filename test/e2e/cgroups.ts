import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';

const MOUNTS = '/proc/self/mounts';
/** The CPU weights of v1 and v2: sixteen times those of others. */
const CPU_WEIGHTS = [
  ['cpu.shares', '16384'],
  ['cpu.weight', '1600'],
] as const;

/** Creates a cgroup in every hierarchy. */
export function createCgroup(name: string): void {
  for (const hierarchy of hierarchies()) {
    const cgroup = join(hierarchy, name);
    mkdirSync(cgroup);
    // In v1, nothing can run in it before these are set.
    for (const file of ['cpuset.cpus', 'cpuset.mems'])
      if (existsSync(join(hierarchy, file)) && existsSync(join(cgroup, file)))
        writeFileSync(join(cgroup, file), readFileSync(join(hierarchy, file)));
    // Otherwise everything in it gets as much as one busy process outside of any cgroup.
    for (const [file, weight] of CPU_WEIGHTS)
      if (existsSync(join(cgroup, file))) writeFileSync(join(cgroup, file), weight);
  }
}

/** Returns where cgroup v2 is mounted. */
export function unifiedHierarchy(): string {
  const [point] = mountsOf('cgroup2');
  if (point === undefined) throw new Error('this machine has no cgroup v2');
  return point;
}

/** Ends all processes in a v2 cgroup and below it, and waits until they have ended. */
export function killCgroup(name: string): void {
  const cgroup = join(unifiedHierarchy(), name);
  if (!existsSync(cgroup)) return;
  for (let tries = 0; isPopulated(cgroup); tries++) {
    if (tries === 200) throw new Error(`${cgroup}: its processes do not end`);
    writeFileSync(join(cgroup, 'cgroup.kill'), '1');
    Atomics.wait(NEVER, 0, 0, 50);
  }
}

/** Removes a cgroup without processes, and everything below it, from every hierarchy. */
export function removeCgroup(name: string): void {
  for (const hierarchy of hierarchies()) {
    const cgroup = join(hierarchy, name);
    if (existsSync(cgroup)) removeFolders(cgroup);
  }
}

const NEVER = new Int32Array(new SharedArrayBuffer(4));

/** Lists all hierarchies, of both versions. */
function hierarchies(): string[] {
  return mountsOf('cgroup', 'cgroup2');
}

function mountsOf(...types: readonly string[]): string[] {
  return readFileSync(MOUNTS, 'utf8')
    .split('\n')
    .map((line) => line.split(' '))
    .flatMap(([, point = '', type = '']) => (types.includes(type) ? [point] : []));
}

function isPopulated(cgroup: string): boolean {
  return readFileSync(join(cgroup, 'cgroup.events'), 'utf8').includes('populated 1');
}

function removeFolders(cgroup: string): void {
  for (const entry of readdirSync(cgroup, { withFileTypes: true }))
    if (entry.isDirectory()) removeFolders(join(cgroup, entry.name));
  rmdirSync(cgroup);
}
