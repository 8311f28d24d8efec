import type { Runtime } from './runtime.ts';

/**
 * Nomad's own drivers, such as `exec` and `java` (client/lib/cgroupslib/editor.go):
 * `/nomad.slice/share.slice/<allocation>.<task>.scope`, or `/nomad/<allocation>.<task>` in version 1.
 * Tasks of `raw_exec` have such cgroups too, and count as the host's: they stay in its mount
 * namespace.
 */
export const nomad: Runtime = {
  name: 'nomad',
  stateDirs: [],
  cgroupPrefixes: [],

  containerAt(names, at) {
    const [, top, partition = '', task = ''] = names;
    if (at === 2 && top === 'nomad') return TASK.exec(partition)?.[0];
    if (at !== 3 || top !== 'nomad.slice' || !PARTITIONS.has(partition)) return undefined;
    return task.endsWith(SCOPE) ? TASK.exec(task.slice(0, -SCOPE.length))?.[0] : undefined;
  },

  readState: async () => undefined,
};

const SCOPE = '.scope';
const PARTITIONS = new Set(['share.slice', 'reserve.slice']);
const TASK = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\.[\w.-]{1,128}$/;
