import type { Cause, ExecEvent, ObservedPlace } from '../../record/types.ts';
import { addBounded } from './bounded-set.ts';

/** A runtime executes a few times on its way in, one right after the other. */
const OUTSIDE_MAX = 1024;

/**
 * Decides how an exec entered a container's cgroup. A runtime starts its own init in that cgroup;
 * it counts as outside as long as it is in the runtime's mount namespace. Processes that a
 * container has started belong to it, even if they leave the container's mount namespace.
 */
export class WayIn {
  readonly #host: number;
  /** By CPU: the numbers of the last execs in containers' cgroups that were outside. */
  readonly #outside = new Map<number, Set<number>>();

  constructor(hostMountNamespace: number) {
    this.#host = hostMountNamespace;
  }

  isHost(mountNamespace: number): boolean {
    return mountNamespace === this.#host;
  }

  /**
   * Whether an exec at the place of its cause is outside as the cause was: runc executes itself
   * again in the container's cgroup before it leaves its own mount namespace.
   */
  isStillOutside(event: ExecEvent): boolean {
    const isOutside = this.#wasOutside(event.cause);
    if (isOutside) this.#noteOutside(event);
    return isOutside;
  }

  /** `from` is the place of its cause; `isSame` says whether that is in the same container. */
  of(event: ExecEvent, from: ObservedPlace, isSame: boolean): 'outside' | 'descendant' | 'entry' {
    const { mnt } = event.invocation.context.namespaces;
    const isFromInside = isSame && !this.#wasOutside(event.cause);
    // A runtime may have its own mount namespace, as in a snap. It is that of the cause; its number says
    // nothing later on, because the next namespace gets it when this one ends.
    if (this.isHost(mnt) || mnt === from.mountNamespace) {
      if (isFromInside) return 'descendant';
      this.#noteOutside(event);
      return 'outside';
    }
    return isFromInside && !this.isHost(from.mountNamespace) ? 'descendant' : 'entry';
  }

  #noteOutside({ cpu, seq }: ExecEvent): void {
    const numbers = this.#outside.get(cpu) ?? new Set<number>();
    this.#outside.set(cpu, numbers);
    addBounded(numbers, seq, OUTSIDE_MAX);
  }

  #wasOutside(cause: Cause): boolean {
    return cause.kind === 'record' && this.#outside.get(cause.cpu)?.has(cause.seq) === true;
  }
}
