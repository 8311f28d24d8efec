import { nameOf } from './names.ts';
import type { Runtime } from './runtime.ts';

/**
 * LXC, and LXD and Incus with it. Its cgroups are at the root (src/lxc/cgroups/cgfsng.c):
 * `lxc.payload.<name>`, or `lxc/<name>` by `lxc.cgroup.pattern` and on Proxmox VE. The number that
 * LXC may append to a name stays a part of the id, because nothing distinguishes it from the name.
 */
export const lxc: Runtime = {
  name: 'lxc',
  stateDirs: [],
  cgroupPrefixes: [],

  containerAt(names, at) {
    const [, top = '', below, inner] = names;
    if (at === 1 && top.startsWith(PAYLOAD)) return nameOf(top.slice(PAYLOAD.length));
    // The monitor is not in the container.
    return at === 2 && top === 'lxc' && inner !== 'monitor' ? nameOf(below) : undefined;
  },

  readState: async () => undefined,
};

const PAYLOAD = 'lxc.payload.';
