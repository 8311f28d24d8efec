import { execFileSync, spawn } from 'node:child_process';
import { copyFileSync, createWriteStream } from 'node:fs';
import { join } from 'node:path';
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
 * Boots an emulated second machine in the cluster's network, with the files of the agent's image and its
 * own kernel. It records under this name, exports to `collector` (ADDRESS:PORT), and works until the test
 * ends (machine-init).
 */
export function startMachine(t: CleanUp, name: string, collector: string): void {
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
  const environment = { NODE_NAME: name, COLLECTOR: collector };
  const devices = ['-initrd', guest, ...NETWORK];
  const [command = '', ...args] = inNetwork(machine(kernel, environment, devices));
  const emulator = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  // A failed test must not leave it behind.
  const kill = () => emulator.kill('SIGKILL');
  process.once('exit', kill);
  emulator.once('close', () => process.off('exit', kill));
  emulator.stdout.pipe(createWriteStream(`${DIR}/log/${name}.log`));
  t.after(kill);
}
