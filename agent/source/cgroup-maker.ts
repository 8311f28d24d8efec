import type { CgroupMaker } from '../../record/types.ts';
import { cgroupMaker } from './layout.ts';

/** Returns who made a cgroup by its number in `enum cgroup_maker`. */
export function cgroupMakerOf(value: number): CgroupMaker {
  if (value === cgroupMaker.makerUnknown) return 'unknown';
  return value === cgroupMaker.makerPrivileged ? 'privileged' : 'other';
}
