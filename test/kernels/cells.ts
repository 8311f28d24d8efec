import type { CgroupMode } from './boot.ts';

/** A cell of the table: one boot. */
export interface Cell {
  readonly kernel: string;
  readonly mode: CgroupMode;
  /** A glob of the names of test files. */
  readonly cases: string;
  /** undefined: the kernel is not locked down */
  readonly lockdown?: 'integrity' | 'confidentiality';
}

// The slowest come first, because two guests run at a time.
const KERNELS = ['arm64-6.1', '5.10', '6.1', '6.12', 'newest'];
const MODES: readonly CgroupMode[] = ['v2', 'v1', 'hybrid'];
const PLAIN = MODES.flatMap((mode) => KERNELS.map((kernel) => ({ kernel, mode, cases: '*' })));
const ALL: readonly Cell[] = [
  ...PLAIN,
  { kernel: '6.12-rt', mode: 'v2', cases: '*' },
  { kernel: '5.10-rt', mode: 'v2', cases: 'refused/realtime' },
  { kernel: '6.12', mode: 'v2', cases: 'links', lockdown: 'integrity' },
  { kernel: '5.10', mode: 'v2', cases: 'refused/lockdown', lockdown: 'confidentiality' },
  { kernel: '6.12', mode: 'v2', cases: 'refused/lockdown', lockdown: 'confidentiality' },
];

/** The name in $CELLS of the host with systemd. */
const HOST = 'systemd';

/**
 * Returns the cells that $CELLS names: `KERNEL/MODE,…` or `KERNEL/MODE/LOCKDOWN,…`, or `all` with
 * every case. Without it, returns every cell, each with the cases that `casesOf` chooses.
 */
export function cellsOf(names: string | undefined): readonly Cell[] {
  if (names === undefined) return ALL.map((cell) => ({ ...cell, cases: casesOf(cell) }));
  if (names === 'all') return ALL;
  const cells = names.split(',').filter((name) => name !== HOST);
  return cells.map((name) => {
    const cell = ALL.find((cell) => name === nameOf(cell));
    if (cell === undefined) throw new Error(`CELLS: there is no ${name}`);
    return cell;
  });
}

/** Whether $CELLS has the host with systemd. */
export function hasHost(names = 'all'): boolean {
  return names === 'all' || names.split(',').includes(HOST);
}

/**
 * Chooses the cases: all with v2, because lineage does not depend on cgroups, and those of cgroups
 * with each. A kernel with PREEMPT_RT differs from the same one without it by the lock of its ring
 * buffer: it has those of records that are written, and of records that are lost.
 */
function casesOf({ kernel, mode, cases, lockdown }: Cell): string {
  if (lockdown !== undefined) return cases;
  if (kernel === '6.12-rt') return '{gaps,links,model}';
  return mode === 'v2' ? cases : 'cgroups';
}

/** Returns the name of a cell: its kernel, its cgroups, and its lockdown, if it has one. */
export function nameOf({ kernel, mode, lockdown }: Cell): string {
  return [kernel, mode, lockdown].filter(Boolean).join('/');
}
