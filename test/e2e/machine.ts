import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { kernelOf, machine } from '../kernels/boot.ts';
import { LAYERS } from './agent-image.ts';
import { createLayer } from './images.ts';
import { inNetwork } from './network.ts';
import { DIR } from './place.ts';

/** Its network driver, and what that needs before. */
const MODULES = ['failover', 'net_failover', 'virtio_net'];
/** Of the image, nothing is asked for at boot. */
const NETWORK = ['-netdev', 'user,id=net', '-device', 'virtio-net-pci,netdev=net,romfile='];

/**
 * Boots a second machine, with the files of the agent's image and a kernel of its own, emulated; what
 * it sends goes out through the cluster's network. It records under this name, exports to `collector`
 * (ADDRESS:PORT), and ends by itself (machine-init). The lines of its journal.
 */
export async function runMachine(name: string, collector: string): Promise<string[]> {
  const kernel = kernelOf('6.12');
  const added = createLayer(`${DIR}/machine`, 'added');
  copyFileSync(join(import.meta.dirname, 'machine-init'), join(added, 'init'));
  const modules = createLayer(added, 'modules');
  for (const module of MODULES)
    copyFileSync(join(kernel.folder, `${module}.ko`), join(modules, `${module}.ko`));
  const guest = `${DIR}/machine/guest.cpio`;
  // The kernel unpacks one archive after the other.
  const pack = 'for folder; do cd "$folder" && find . | cpio -o -H newc --quiet; done >"$0"';
  execFileSync('sh', ['-c', pack, guest, join(LAYERS, 'agent'), added]);
  const environment = { NODE_NAME: name, COLLECTOR: collector };
  const [command = '', ...args] = inNetwork(machine(kernel, guest, environment, NETWORK));
  const emulator = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  // Neither a machine that hangs nor a test that has failed may leave it behind.
  const limit = setTimeout(() => emulator.kill('SIGKILL'), 300_000);
  const kill = () => emulator.kill('SIGKILL');
  process.once('exit', kill);
  let console = '';
  emulator.stdout.setEncoding('utf8').on('data', (text) => (console += text));
  await once(emulator, 'close');
  clearTimeout(limit);
  process.off('exit', kill);
  const lines = [...console.matchAll(/^\{"id":.*(?=\r$)/gm)].map(([line]) => line);
  if (lines.length === 0)
    throw new Error(`the machine has recorded nothing in its five minutes: ${console}`);
  return lines;
}
