/**
 * In place of what the agent reads about its own process: a path or a pid of another length would
 * make all segments of a seed end elsewhere.
 */

// biome-ignore lint/performance/noBarrelFile: the agent imports other functions of it, too
export * from '../../../agent/run/proc.ts';

export function ownProcess() {
  return { pid: 4242, ppid: 1, uid: 0, gid: 0, comm: 'vcml-agent', executable: '/usr/bin/node' };
}
