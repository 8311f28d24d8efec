import { spawn } from 'node:child_process';
import { createWriteStream, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Report, readReport } from './report.ts';

/** The name of an architecture in Debian. */
export type Architecture = 'amd64' | 'arm64';

/** The way in which the cgroup hierarchies are mounted. */
export type CgroupMode = 'v2' | 'v1' | 'hybrid';

/** A kernel that test/kernels/fetch has unpacked, below $KERNELS. */
export interface Kernel {
  readonly name: string;
  /** The folder of the kernel and its modules. */
  readonly folder: string;
  readonly architecture: Architecture;
  /** The Debian package of the kernel. */
  readonly origin: string;
  readonly image: string;
  /** The overlayfs module, which Debian does not build in. */
  readonly overlay: string;
}

/** Returns the kernel of this name. */
export function kernelOf(name: string): Kernel {
  const folder = join(process.env.KERNELS ?? 'build/kernels', name);
  if (!existsSync(folder)) throw new Error(`there is no ${folder}: make kernels fetches it`);
  return {
    name,
    folder,
    architecture: name.startsWith('arm64') ? 'arm64' : 'amd64',
    origin: readFileSync(join(folder, 'package'), 'utf8').trim(),
    image: join(folder, 'image'),
    overlay: join(folder, 'overlay.ko'),
  };
}

/** The CPUs that are fast to emulate. */
const MACHINES = {
  amd64: {
    command: 'qemu-system-x86_64',
    // qemu's cmpxchg16b leaves wrong values in the flags, and a kernel that uses it crashes.
    args: ['-M', 'pc', '-cpu', 'Nehalem,cx16=off'],
    console: 'ttyS0',
  },
  arm64: {
    command: 'qemu-system-aarch64',
    // This CPU has no pointer authentication.
    args: ['-M', 'virt', '-cpu', 'cortex-a76'],
    console: 'ttyAMA0',
  },
} as const;

/**
 * Time follows the instructions, a nanosecond each, and not the host's clock. No time-out expires
 * because the host is busy, and a tick of the guest's timer comes where a real one would, not where
 * the emulator happens to be slow.
 */
const OWN_TIME = ['-icount', 'shift=0,sleep=off'];
const KERNEL_OPTIONS = 'quiet loglevel=1 panic=-1 mitigations=off';

/**
 * Boots a kernel with a guest (guest.ts) until it powers off, and reads its console, which it keeps
 * beside the guest. `refused` has the cases that this kernel refuses, with their errors.
 */
export async function boot(
  kernel: Kernel,
  guest: string,
  environment: Readonly<Record<string, string>>,
  refused: ReadonlyMap<string, RegExp>,
  signal: AbortSignal,
): Promise<Report> {
  const commandLine = machine(kernel, environment, ['-initrd', guest, ...OWN_TIME]);
  const { CGROUP_MODE: mode, lockdown } = environment;
  const log = `${guest}.${[kernel.name, mode, lockdown].filter(Boolean).join('-')}.log`;
  const console = await untilPowerOff(commandLine, log, signal);
  return readReport(console.replaceAll('\r', ''), refused);
}

/** Runs a machine until it powers off, and returns what its console shows, which it keeps in a file. */
export async function untilPowerOff(
  [command = '', ...args]: readonly string[],
  log: string,
  signal: AbortSignal,
): Promise<string> {
  const qemu = spawn(command, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    signal,
    killSignal: 'SIGKILL',
  });
  let console = '';
  qemu.stdout.pipe(createWriteStream(log));
  qemu.stdout.setEncoding('utf8').on('data', (text) => (console += text));
  qemu.stderr.setEncoding('utf8').on('data', (text) => (console += text));
  await new Promise<void>((resolve) => {
    qemu.on('error', (error) => (console += `\n${error.message}`));
    qemu.on('close', () => resolve());
  });
  return console;
}

/**
 * Returns the command line of a machine that boots a kernel with these devices, its initramfs or disk
 * among them. Its console is stdin and stdout, and its first process has the environment. It is
 * emulated, so that it is the same everywhere.
 */
export function machine(
  kernel: Kernel,
  environment: Readonly<Record<string, string>>,
  devices: readonly string[],
): string[] {
  const { command, args, console } = MACHINES[kernel.architecture];
  const words = Object.entries({ KERNEL: kernel.name, ...environment }).map((pair) =>
    pair.join('='),
  );
  return [
    command,
    ...args,
    '-accel',
    'tcg',
    '-smp',
    '1',
    '-m',
    '1536',
    ...devices,
    '-nodefaults',
    '-nographic',
    '-no-reboot',
    '-serial',
    'stdio',
    '-kernel',
    kernel.image,
    '-append',
    `console=${console} ${KERNEL_OPTIONS} ${words.join(' ')}`,
  ];
}
