import type { ObservedPlace } from '../../record/types.ts';
import type { StartedContainers } from './started-containers.ts';

const NAMESPACES_MAX = 64;

/**
 * Decides how an exec entered a container's cgroup. A runtime starts its own init in that cgroup;
 * it counts as outside as long as it is in the runtime's mount namespace. Processes that a
 * container has started belong to it, even if they leave the container's mount namespace.
 */
export class WayIn {
  /**
   * Mount namespaces of the host and of runtimes; a process in one of them is not in a container.
   */
  readonly #hosts: Set<number>;
  readonly #started: StartedContainers;

  constructor(hostMountNamespace: number, started: StartedContainers) {
    this.#hosts = new Set([hostMountNamespace]);
    this.#started = started;
  }

  /** Whether a mount namespace belongs to the host or to a runtime. */
  isHost(mountNamespace: number): boolean {
    return this.#hosts.has(mountNamespace);
  }

  /**
   * `mountNamespace` is the exec's own and `from` its cause's place; `isSame` says whether that
   * place is in the same container, whose key is `container`.
   */
  of(
    mountNamespace: number,
    from: ObservedPlace,
    isSame: boolean,
    container: string,
  ): 'outside' | 'descendant' | 'entry' {
    if (this.isHost(mountNamespace)) return isSame ? 'descendant' : 'outside';
    if (isSame) return this.isHost(from.mountNamespace) ? 'entry' : 'descendant';
    if (from.mountNamespace !== mountNamespace) return 'entry';
    // The runtime has its own mount namespace, as in a snap.
    if (!this.#started.has(container) && this.#hosts.size < NAMESPACES_MAX)
      this.#hosts.add(mountNamespace);
    return 'outside';
  }
}
