import type { ExecEvent, ObservedPlace } from '../../record/types.ts';
import { addBounded } from './bounded-set.ts';
import type { StartedContainers } from './started-containers.ts';

const NAMESPACES_MAX = 64;
/** A runtime executes a few times on its way in, one right after the other. */
const OUTSIDE_MAX = 1024;

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
  /** the last execs in containers' cgroups that were outside, by their numbers */
  readonly #outside = new Set<string>();

  constructor(hostMountNamespace: number, started: StartedContainers) {
    this.#hosts = new Set([hostMountNamespace]);
    this.#started = started;
  }

  /** Whether a mount namespace belongs to the host or to a runtime. */
  isHost(mountNamespace: number): boolean {
    return this.#hosts.has(mountNamespace);
  }

  /** Notes an exec in a container's cgroup that is outside of the container. */
  noteOutside({ cpu, seq }: ExecEvent): void {
    addBounded(this.#outside, `${cpu} ${seq}`, OUTSIDE_MAX);
  }

  /**
   * Whether an exec at the place of its cause is outside as the cause was: runc executes itself
   * again in the container's cgroup before it leaves its own mount namespace.
   */
  isStillOutside(mountNamespace: number, event: ExecEvent): boolean {
    const { cause } = event;
    if (!this.isHost(mountNamespace) || cause.kind !== 'record') return false;
    const isOutside = this.#outside.has(`${cause.cpu} ${cause.seq}`);
    if (isOutside) this.noteOutside(event);
    return isOutside;
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
