import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../../support/paths.ts';

/** What systemd starts at the boot, in addition to what Debian's packages have it start. */
const SERVICES = ['old.service', 'vcml-agent.service', 'play.service'];
/** There is no udev, so that systemd would wait for this console. */
const MASKED = [
  'serial-getty@ttyS0.service',
  'systemd-modules-load.service',
  'systemd-pstore.service',
];

/**
 * Makes the disk of a host with systemd, in a folder, and returns its path. It has Debian's root file
 * system (make-root), the agent's bundle, and the files that play what happens on a host.
 */
export function makeDisk(folder: string): string {
  const root = join(folder, 'root');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  execFileSync('cp', ['-a', join(process.env.KERNELS ?? 'build/kernels', 'systemd/root'), root]);
  cpSync(join(import.meta.dirname, 'files'), root, { recursive: true });
  execFileSync('chroot', [root, 'chown', '-R', 'user:user', '/home/user']);
  const units = join(root, 'etc/systemd/system');
  for (const unit of SERVICES)
    symlinkSync(`../${unit}`, join(units, 'multi-user.target.wants', unit));
  for (const unit of MASKED) symlinkSync('/dev/null', join(units, unit));
  execFileSync(process.execPath, ['deploy/bundle.ts', join(root, 'opt/vcml-agent')], { cwd: ROOT });
  mkdirSync(join(root, 'out'));
  makeImage(folder, join(root, 'opt/box.tar'));
  const disk = join(folder, 'disk');
  // Without a journal of its own, because the machine is never killed.
  execFileSync('mke2fs', ['-q', '-t', 'ext4', '-O', '^has_journal', '-d', root, disk, '1G']);
  rmSync(root, { recursive: true });
  return disk;
}

/** Makes the root file system of a container, which is busybox alone. */
function makeImage(folder: string, file: string): void {
  const root = join(folder, 'box');
  mkdirSync(join(root, 'bin'), { recursive: true });
  cpSync('/bin/busybox', join(root, 'bin/busybox'));
  execFileSync('tar', ['-C', root, '-cf', file, '.']);
}

/** Copies a folder of the disk to a folder here, when the machine is off. */
export function copyFromDisk(disk: string, from: string, to: string): void {
  mkdirSync(to, { recursive: true });
  execFileSync('debugfs', ['-R', `rdump ${from} ${to}`, disk], { stdio: 'ignore' });
}
