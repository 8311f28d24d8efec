import { execFileSync, spawn } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { removeCgroup } from '../../test/e2e/cgroups.ts';
import { program } from '../../test/support/agent.ts';
import type { Bed } from '../bed/bed.ts';

const CRI = 'io.kubernetes.cri';

/** Containers of pods; each of them can run its own storm. */
export interface Containers {
  /** A state folder like that of containerd, with the bundle of each container. */
  readonly stateDir: string;
  /** The path of the no-op in the containers. */
  readonly noop: string;
  /** Runs a storm of one loop in each container at once, and returns the number of execs. */
  storm(seconds: number): Promise<number>;
}

/** Prepares containers with the cgroups and files that the kubelet and containerd would create. */
export function prepareContainers({ cleanup, directory, noop }: Bed, count: number): Containers {
  const rootfs = join(directory, 'rootfs');
  for (const folder of ['', 'proc', 'dev']) mkdirSync(join(rootfs, folder));
  const inside = `/${basename(noop)}`;
  copyFileSync(noop, join(rootfs, inside));
  copyFileSync(program('storm'), join(rootfs, 'storm'));
  const cgroup = `vcml-bench-${process.pid}`;
  cleanup.add(() => removeCgroup(cgroup));
  const stateDir = join(directory, 'containerd');
  const runc = ['--root', join(directory, 'runc')];
  const containers = Array.from({ length: count }, (_, at) => {
    const id = randomBytes(32).toString('hex');
    const bundle = join(stateDir, 'io.containerd.runtime.v2.task/k8s.io', id);
    mkdirSync(bundle, { recursive: true });
    const uid = randomUUID();
    const write = (seconds: number) => {
      const args = ['/storm', '1', `${seconds}`, inside];
      const cgroupsPath = `/${cgroup}/kubepods/burstable/pod${uid}/${id}`;
      const config = { ...runtimeConfig(rootfs, args, cgroupsPath), annotations: podOf(at, uid) };
      writeFileSync(join(bundle, 'config.json'), JSON.stringify(config));
    };
    write(0);
    return { id, bundle, write };
  });
  return {
    stateDir,
    noop: inside,
    async storm(seconds) {
      const storms = containers.map(async ({ id, bundle, write }) => {
        write(seconds);
        const end = cleanup.add(() => execFileSync('runc', [...runc, 'delete', '--force', id]));
        const child = spawn('runc', [...runc, 'run', '--bundle', bundle, id], {
          stdio: ['ignore', 'pipe', 'inherit'],
        });
        const [output, [code]] = await Promise.all([text(child.stdout), once(child, 'exit')]);
        await end();
        if (code !== 0) throw new Error(`a container ended with ${code}: ${output}`);
        return Number(output);
      });
      return (await Promise.all(storms)).reduce((sum, execs) => sum + execs, 0);
    },
  };
}

/** Returns a configuration as in https://github.com/opencontainers/runtime-spec */
function runtimeConfig(rootfs: string, args: readonly string[], cgroupsPath: string): object {
  return {
    ociVersion: '1.0.2',
    process: { user: { uid: 0, gid: 0 }, cwd: '/', args },
    root: { path: rootfs, readonly: true },
    mounts: [
      { destination: '/proc', type: 'proc', source: 'proc' },
      // The runtime creates devices in /dev, and all containers share the root file system.
      { destination: '/dev', type: 'tmpfs', source: 'tmpfs' },
    ],
    linux: { cgroupsPath, namespaces: [{ type: 'mount' }, { type: 'pid' }] },
  };
}

/** The annotations that containerd's CRI plugin gives to a container. */
function podOf(at: number, uid: string): Record<string, string> {
  return {
    [`${CRI}.container-type`]: 'container',
    [`${CRI}.sandbox-namespace`]: 'bench',
    [`${CRI}.sandbox-name`]: `pod-${at}`,
    [`${CRI}.sandbox-uid`]: uid,
    [`${CRI}.container-name`]: 'storm',
    [`${CRI}.image-name`]: 'localhost/storm:bench',
  };
}
