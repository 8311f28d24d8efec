import { PLACE } from '../../record/fields/exec.ts';
import { attributeText } from '../../record/line/attributes.ts';
import type { UnitPath } from './cgroups/unit-path.ts';

/** A unit of systemd on the host. */
export interface Unit {
  readonly path: UnitPath;
  /** the path of its cgroup; no container has a key that begins with a slash */
  readonly key: string;
  /** See Container. */
  readonly cgroups: Map<string, boolean>;
  /** The attributes of its records as JSON text, with a comma before each. */
  readonly attributes: string;
}

/** Returns a unit without cgroups. */
export function createUnit(path: UnitPath): Unit {
  const attributes = attributeText(PLACE.unit, path.unit);
  return { path, key: path.root, cgroups: new Map(), attributes };
}

/** Whether a key of a started place is that of a unit. */
export function isUnitKey(key: string): boolean {
  return key.startsWith('/');
}
