import { type Fate, Script, type ScriptedExec } from '../../support/scripted/script.ts';
import { createSeeded } from '../../support/scripted/seeded.ts';

/** One life of a journal, from its first record to its last. */
export interface Scenario {
  readonly name: string;
  /** What differs from the usual options of the agent. */
  readonly options: {
    readonly sync: 'always' | 'interval' | 'never';
    readonly segmentMaxBytes: number;
    readonly journalMaxBytes: number;
  };
  /** The error that some calls of the writer meet. */
  readonly fault?: 'ENOSPC' | 'EIO';
  /** on the first boot */
  readonly execs: number;
}

/** One boot of a world's machine. */
export interface Boot {
  readonly bootId: string;
  readonly hookId: string;
  readonly execs: readonly ScriptedExec[];
  /** The power was cut at its end. */
  readonly isCut: boolean;
  /** The hook was detached before: the loss of a reboot does not speak of it. */
  readonly isDetached?: boolean;
  /** The last number of each CPU that was committed to the kernel, and so must be on disk. */
  readonly committed?: readonly number[];
}

/** Each has rotations, compressions and an export; a segment has room for a few records only. */
export const SCENARIOS: readonly Scenario[] = [
  {
    name: 'rotation',
    options: { sync: 'interval', segmentMaxBytes: 6_000, journalMaxBytes: 10_000_000 },
    execs: 70,
  },
  {
    name: 'retention',
    options: { sync: 'always', segmentMaxBytes: 4_000, journalMaxBytes: 20_000 },
    execs: 70,
  },
  {
    name: 'full disk',
    options: { sync: 'interval', segmentMaxBytes: 6_000, journalMaxBytes: 10_000_000 },
    fault: 'ENOSPC',
    execs: 70,
  },
  {
    name: 'retention without room',
    options: { sync: 'interval', segmentMaxBytes: 4_000, journalMaxBytes: 20_000 },
    fault: 'ENOSPC',
    execs: 70,
  },
  {
    name: 'failing syncs',
    options: { sync: 'always', segmentMaxBytes: 6_000, journalMaxBytes: 10_000_000 },
    fault: 'EIO',
    execs: 50,
  },
];

/** So few that most of an earlier boot's records stay. */
const LATER_EXECS = 6;
/** The number of CPUs of every machine. */
export const CPUS = 2;
const FATES: readonly Fate[] = ['damaged', 'foreign', 'lost'];
const FIRST_NS = 2_000_000_000n;
const STEP_NS = 7_000_003n;

/** Hooks of different boots are armed at different times. */
const ARMED_NS = 1_000_000_000n;
const BOOT_NS = 1_000_000n;

/** The boot time in nanoseconds at which the hook of a boot is armed. */
export function armedAt(boot: number): bigint {
  return ARMED_NS + BigInt(boot) * BOOT_NS;
}

/** The id of a boot. */
export function bootIdOf(boot: number): string {
  return `00000000-0000-4000-8000-${`${boot}`.padStart(12, '0')}`;
}

/** What a journal must say about a boot. */
export function bootOf(scenario: Scenario, boot: number): Boot {
  const execs = execsOf(scenario, boot);
  return { bootId: bootIdOf(boot), hookId: `${armedAt(boot)}`, execs, isCut: false };
}

/** Returns the execs of a scenario on the n-th boot of its machine, always the same ones. */
export function execsOf({ name, execs }: Scenario, boot: number): readonly ScriptedExec[] {
  const seeded = createSeeded(name.length * 1000 + boot);
  const script = new Script(seeded, `${name[0]}${boot}`, CPUS);
  for (let n = 0; n < (boot === 1 ? execs : LATER_EXECS); n++) {
    const fate = seeded.percent(12) ? seeded.among(FATES) : 'sound';
    script.add(seeded.below(CPUS), FIRST_NS + BigInt(n) * STEP_NS, fate);
  }
  return script.execs;
}
