import { type ChildProcessByStdio, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, createWriteStream } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { kernelOf, machine } from '../kernels/boot.ts';
import type { CleanUp } from '../support/temporary-folder.ts';
import { LAYERS } from './agent-image.ts';
import { createLayer } from './images.ts';
import { inNetwork } from './network.ts';
import { DIR } from './place.ts';

/** The network driver of the machine, and the modules that it needs. */
const MODULES = ['failover', 'net_failover', 'virtio_net'];
/** The network card; it has no boot ROM, because nothing boots from it. */
const NETWORK = ['-netdev', 'user,id=net', '-device', 'virtio-net-pci,netdev=net,romfile='];

/**
 * Boots a second machine that records under this name, exports to `collector` (ADDRESS:PORT), and ends
 * by itself (machine-init). Returns the lines of its journal.
 */
export async function runMachine(name: string, collector: string): Promise<string[]> {
  const emulator = boot({ NODE_NAME: name, COLLECTOR: collector });
  // A hanging machine must not stay.
  const limit = setTimeout(() => emulator.kill('SIGKILL'), 300_000);
  let console = '';
  emulator.stdout.setEncoding('utf8').on('data', (text) => (console += text));
  await once(emulator, 'close');
  clearTimeout(limit);
  const lines = [...console.matchAll(/^\{"id":.*(?=\r$)/gm)].map(([line]) => line);
  if (lines.length === 0)
    throw new Error(`the machine has recorded nothing in its five minutes: ${console}`);
  return lines;
}

/** Boots such a machine, which works until the test ends. */
export function startMachine(t: CleanUp, name: string, collector: string): void {
  const emulator = boot({ NODE_NAME: name, COLLECTOR: collector, WORK: 'on' });
  emulator.stdout.pipe(createWriteStream(`${DIR}/log/${name}.log`));
  t.after(() => emulator.kill('SIGKILL'));
}

/**
 * Boots an emulated machine in the cluster's network, with the files of the agent's image and its own
 * kernel. Its console is the output.
 */
function boot(
  environment: Readonly<Record<string, string>>,
): ChildProcessByStdio<null, Readable, null> {
  const kernel = kernelOf('6.12');
  const added = createLayer(`${DIR}/machine`, 'added');
  copyFileSync(join(import.meta.dirname, 'machine-init'), join(added, 'init'));
  const modules = createLayer(added, 'modules');
  for (const module of MODULES)
    copyFileSync(join(kernel.folder, `${module}.ko`), join(modules, `${module}.ko`));
  const guest = `${DIR}/machine/guest.cpio`;
  // The kernel unpacks the archives one after the other.
  const pack = 'for folder; do cd "$folder" && find . | cpio -o -H newc --quiet; done >"$0"';
  execFileSync('sh', ['-c', pack, guest, join(LAYERS, 'agent'), added]);
  const [command = '', ...args] = inNetwork(machine(kernel, guest, environment, NETWORK));
  const emulator = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  // A failed test must not leave it behind.
  const kill = () => emulator.kill('SIGKILL');
  process.once('exit', kill);
  emulator.once('close', () => process.off('exit', kill));
  return emulator;
}
