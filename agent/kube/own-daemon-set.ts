import { setTimeout as pause } from 'node:timers/promises';
import { AgentError } from '../errors.ts';
import { ObjectListWatch } from './list-watch.ts';
import { type Answer, getObject, type KubeObject, OBJECT } from './objects.ts';
import { Pace } from './pace.ts';
import { reflect } from './reflector.ts';
import { RequestError } from './request-error.ts';

/** The requests at the end must be answered soon, because a pod has half a minute to end. */
const ANSWER_MS = 3000;
/** Before the end there is time, also on a busy node. */
const LOOKUP_MS = 30_000;
/** How long the event of the DaemonSet's deletion may take to arrive. */
const NEWS_MS = 3000;
/** The first pause between two tries to find the pod's owner; each further one is twice as long. */
const RETRY_MS = 500;
const RETRY_MAX_MS = 30_000;

/** The agent's own pod, and the handlers that are called. */
export interface OwnDaemonSetOptions {
  /** the namespace and the name of the agent's own pod */
  readonly namespace: string;
  readonly pod: string;
  /** the path of a kubeconfig; empty: the service account of the agent's own pod */
  readonly kubeconfig: string;
  /** Called once, when the DaemonSet has been found and is followed. */
  onKnown(name: string): void;
  /** Called when it cannot be found or followed; the message contains the remedy. */
  onProblem(problem: Error): void;
}

/** Whether the agent's DaemonSet was deleted, and the evidence. */
export interface Verdict {
  readonly uninstalled: boolean;
  readonly because: string;
}

/**
 * Finds out at the end whether another agent will start here: whether the DaemonSet that owns the
 * agent's pod, or one of the same name, still exists. Only proof of its deletion counts. It counts
 * as existing if there is no response, or one that cannot be understood. An uninstall also deletes
 * the agent's role and service account, often before the agent can ask. Their absence proves
 * nothing: an upgrade deletes them as well, and deleting a pod by force revokes its token. That is
 * why the agent watches the DaemonSet from the beginning: an open watch outlives role and account.
 */
export class OwnDaemonSet {
  readonly #options: OwnDaemonSetOptions;
  readonly #stop = new AbortController();
  /** Resolves when the pod's owner is known, and whether it exists. */
  readonly #known = Promise.withResolvers<void>();
  /** Resolves when the DaemonSet is seen to be deleted. */
  readonly #gone = Promise.withResolvers<void>();
  /** the DaemonSet's name */
  #owner: string | undefined;
  /** Whether the DaemonSet was seen to be deleted, and no other of its name has appeared since. */
  #isGone = false;
  #isReported = false;

  constructor(options: OwnDaemonSetOptions) {
    this.#options = options;
    this.#follow().catch((error) => this.#report(error));
  }

  /** Asks the API server and resolves within seconds. */
  async verdict(): Promise<Verdict> {
    await this.#within(ANSWER_MS, this.#known.promise);
    if (this.#owner === undefined) return stays('it is not known which DaemonSet owns the pod');
    const what = `DaemonSet ${this.#options.namespace}/${this.#owner}`;
    let answer: Answer;
    try {
      answer = await this.#get(`${this.#daemonSets}/${this.#owner}`);
    } catch (error) {
      return stays(`the API server did not answer: ${RequestError.of(error).message}`);
    }
    const { status, object } = answer;
    const { metadata, kind, reason } = object;
    const said = `HTTP ${status}: ${object.message ?? 'no message'}`;
    switch (status) {
      case 200:
        if (kind !== 'DaemonSet') return stays('the answer of the API server is not a DaemonSet');
        if (metadata?.deletionTimestamp) return gone(`${what} is being deleted`);
        if (await this.#isNamespaceDeleted())
          return gone(`the namespace of ${what} is being deleted`);
        return stays(`${what} exists`);
      case 404:
        return reason === 'NotFound' ? gone(`${what} is gone`) : stays(said);
      case 401:
      case 403:
        // The event of the deletion may still be on its way.
        await this.#within(NEWS_MS, this.#gone.promise);
        if (!this.#isGone) return stays(`${what} was not seen being deleted; ${said}`);
        return gone(`${what} was deleted, and the agent has lost its rights`);
      default:
        return stays(said);
    }
  }

  close(): void {
    this.#stop.abort();
  }

  async #follow(): Promise<void> {
    this.#owner = await this.#findOwner();
    if (this.#owner === undefined) {
      this.#known.resolve();
      return;
    }
    const { kubeconfig } = this.#options;
    const fieldSelector = `metadata.name=${this.#owner}`;
    await reflect<KubeObject>({
      source: new ObjectListWatch({
        kubeconfig,
        path: this.#daemonSets,
        fieldSelector,
        cached: false,
        pace: new Pace(),
        shape: OBJECT,
        read: ({ value }) => value as KubeObject,
      }),
      onList: () => {
        let found: KubeObject | undefined;
        return { add: (one) => (found ??= one), end: () => this.#daemonSetIs(found) };
      },
      onChange: (change, found) => this.#daemonSetIs(change === 'DELETED' ? undefined : found),
      onProblem: (problem) => {
        if (problem) this.#report(problem);
        this.#known.resolve();
      },
      stop: this.#stop.signal,
    });
  }

  #daemonSetIs(found: KubeObject | undefined): void {
    this.#isGone = found === undefined || found.metadata?.deletionTimestamp !== undefined;
    if (this.#isGone) this.#gone.resolve();
    else if (!this.#isReported) {
      this.#isReported = true;
      this.#options.onKnown(`${this.#options.namespace}/${this.#owner}`);
    }
    this.#known.resolve();
  }

  /** Asks for the pod until there is an answer; undefined: no DaemonSet owns it. */
  async #findOwner(): Promise<string | undefined> {
    const { namespace, pod } = this.#options;
    const { signal } = this.#stop;
    for (let ms = RETRY_MS; !signal.aborted; ms = Math.min(2 * ms, RETRY_MAX_MS)) {
      try {
        const { status, object } = await this.#get(
          `/api/v1/namespaces/${namespace}/pods/${pod}`,
          LOOKUP_MS,
        );
        const owner = status === 200 ? ownerOf(object) : undefined;
        if (status === 200 && owner === undefined) this.#report(new Error('no DaemonSet owns it'));
        if (status === 404) this.#report(new Error('there is no such pod'));
        if (status === 200 || status === 404) return owner;
        this.#report(RequestError.refusal(status, object));
      } catch (error) {
        this.#report(error);
      }
      // Jitter keeps the agents of a cluster from returning all at once.
      await pause(ms * (0.5 + Math.random()), undefined, { signal, ref: false }).catch(() => {});
    }
    return undefined;
  }

  /** Deleting a namespace ends its pods first and deletes its DaemonSets only afterwards. */
  async #isNamespaceDeleted(): Promise<boolean> {
    const answer = await this.#get(`/api/v1/namespaces/${this.#options.namespace}`).catch(() => {});
    return answer?.status === 200 && answer.object.metadata?.deletionTimestamp !== undefined;
  }

  get #daemonSets(): string {
    return `/apis/apps/v1/namespaces/${this.#options.namespace}/daemonsets`;
  }

  #get(path: string, ms = ANSWER_MS): Promise<Answer> {
    const stop = AbortSignal.any([this.#stop.signal, AbortSignal.timeout(ms)]);
    return getObject({ kubeconfig: this.#options.kubeconfig, path, stop });
  }

  /** Waits for an event, but not longer than this. */
  async #within(ms: number, event: Promise<void>): Promise<void> {
    await Promise.race([event, pause(ms, undefined, { signal: this.#stop.signal })]);
  }

  #report(error: unknown): void {
    const { namespace, pod, onProblem } = this.#options;
    if (this.#stop.signal.aborted) return;
    const { message, statusCode } = RequestError.of(error);
    const code = statusCode === 403 ? 'DAEMON_SET_FORBIDDEN' : 'DAEMON_SET_UNKNOWN';
    onProblem(new AgentError(code, { namespace, pod, reason: message }));
  }
}

function ownerOf({ metadata }: KubeObject): string | undefined {
  const owners = metadata?.ownerReferences;
  return owners?.find(({ kind, controller }) => kind === 'DaemonSet' && controller)?.name;
}

function gone(because: string): Verdict {
  return { uninstalled: true, because };
}

function stays(because: string): Verdict {
  return { uninstalled: false, because };
}
