import assert from 'node:assert/strict';
import { readlinkSync } from 'node:fs';
import type { JournalLine } from '../support/journal/followed-journal.ts';

const CONTAINER = /\/pod([0-9a-f-]+)\/([0-9a-f]{64})$/;

/**
 * Asserts that every exec inside a pod's container names that container and that pod, and never has a
 * name that the pod does not have. `names` maps the uid of each pod to its name.
 */
export function assertPlaced(
  records: readonly JournalLine[],
  names: ReadonlyMap<string, string>,
): void {
  const host = readlinkSync('/proc/self/ns/mnt').replace(/\D/g, '');
  for (const { id, action, resource, attributes } of records) {
    if (action !== 'exec' || attributes['vcml.namespace.mnt'] === host) continue;
    const [, uid = '', container] =
      CONTAINER.exec(String(attributes['process.linux.cgroup'])) ?? [];
    if (container === undefined) continue;
    assert.equal(resource['container.id'], container, id);
    assert.equal(resource['k8s.pod.uid'], uid, id);
    const name = resource['k8s.pod.name'];
    if (name !== undefined && names.has(uid)) assert.equal(name, names.get(uid), id);
  }
}
