import { spawn } from 'node:child_process';
import { createWriteStream, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Report, readReport } from './report.ts';

/** Debian's name of an architecture. */
export type Architecture = 'amd64' | 'arm64';

/** How the hierarchies of cgroups are mounted. */
export type CgroupMode = 'v2' | 'v1' | 'hybrid';

/** A kernel that test/kernels/fetch has unpacked, below $KERNELS. */
export interface Kernel {
  readonly name: string;
  readonly architecture: Architecture;
  /** the package that it is from */
  readonly origin: string;
  readonly image: string;
  /** overlayfs, which Debian has as a module */
  readonly overlay: string;
}

/** The kernel of this name. */
export function kernelOf(name: string): Kernel {
  const folder = join(process.env.KERNELS ?? 'build/kernels', name);
  if (!existsSync(folder)) throw new Error(`there is no ${folder}: make kernels fetches it`);
  return {
    name,
    architecture: name.startsWith('arm64') ? 'arm64' : 'amd64',
    origin: readFileSync(join(folder, 'package'), 'utf8').trim(),
    image: join(folder, 'image'),
    overlay: join(folder, 'overlay.ko'),
  };
}

/** Emulated, so that it is the same everywhere; one CPU, since two make qemu's cmpxchg16b unsound. */
const MACHINES = {
  amd64: {
    command: 'qemu-system-x86_64',
    args: ['-M', 'pc', '-accel', 'tcg', '-cpu', 'max'],
    console: 'ttyS0',
  },
  arm64: {
    command: 'qemu-system-aarch64',
    // one without pointer authentication, which is slow to emulate
    args: ['-M', 'virt', '-accel', 'tcg', '-cpu', 'cortex-a76'],
    console: 'ttyAMA0',
  },
} as const;

/**
 * Boots a kernel with a guest (guest.ts) until it powers off, and reads its console, which is kept
 * beside the guest.
 */
export async function boot(
  kernel: Kernel,
  guest: string,
  environment: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<Report> {
  const machine = MACHINES[kernel.architecture];
  const words = Object.entries({ KERNEL: kernel.name, ...environment });
  const qemu = spawn(
    machine.command,
    [
      ...machine.args,
      ...['-smp', '1', '-m', '1536', '-nodefaults', '-nographic', '-no-reboot'],
      ...['-serial', 'stdio', '-kernel', kernel.image, '-initrd', guest],
      '-append',
      `console=${machine.console} quiet loglevel=1 panic=-1 ${words.map((word) => word.join('=')).join(' ')}`,
    ],
    { stdio: ['ignore', 'pipe', 'pipe'], signal, killSignal: 'SIGKILL' },
  );
  let console = '';
  qemu.stdout.pipe(createWriteStream(`${guest}.${kernel.name}-${environment.CGROUP_MODE}.log`));
  qemu.stdout.setEncoding('utf8').on('data', (text) => (console += text));
  qemu.stderr.setEncoding('utf8').on('data', (text) => (console += text));
  await new Promise<void>((resolve) => {
    qemu.on('error', (error) => (console += `\n${error.message}`));
    qemu.on('close', () => resolve());
  });
  return readReport(console.replaceAll('\r', ''));
}
