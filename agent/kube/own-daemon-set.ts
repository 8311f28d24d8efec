import { setTimeout as pause } from 'node:timers/promises';
import { AgentError } from '../errors.ts';
import { ObjectListWatch } from './list-watch.ts';
import { type Answer, getObject, type KubeObject, OBJECT } from './objects.ts';
import { Pace } from './pace.ts';
import { reflect } from './reflector.ts';
import { RequestError } from './request-error.ts';

/** What is asked at the end must be known soon, because a pod has half a minute to end. */
const VERDICT_MS = 8000;
const ANSWER_MS = 3000;
/** In less time it is not asked once more. */
const LEAST_MS = 500;
/** Before the end there is time, also on a busy node. */
const LOOKUP_MS = 30_000;
/** The pause before the server is asked again; the event of the deletion may arrive meanwhile. */
const NEWS_MS = 500;
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

/** An answer that proves nothing. */
interface Undecided {
  readonly said: string;
  /** Whether the agent may not ask; undefined: the server did not answer. */
  readonly isRefused?: boolean;
}

/**
 * Finds out at the end whether another agent will start here: whether the DaemonSet that owns the
 * agent's pod, or one of the same name, still exists. Only proof of its deletion counts. It counts
 * as existing if there is no response, or one that cannot be understood, and the agent has not seen
 * its deletion. An uninstall also deletes the agent's role and service account, often before the
 * agent can ask. Their absence proves nothing: an upgrade deletes them as well, and deleting a pod by
 * force revokes its token. That is why the agent watches the DaemonSet from the beginning: an open
 * watch outlives role and account.
 */
export class OwnDaemonSet {
  readonly #options: OwnDaemonSetOptions;
  readonly #stop = new AbortController();
  /** Resolves when the pod's owner is known, and whether it exists. */
  readonly #known = Promise.withResolvers<void>();
  /** the DaemonSet's name */
  #owner: string | undefined;
  /** Whether the DaemonSet was seen to be deleted, and no other of its name has appeared since. */
  #isGone = false;
  #isReported = false;

  constructor(options: OwnDaemonSetOptions) {
    this.#options = options;
    this.#follow().catch((error) => this.#report(error));
  }

  /** Asks the API server, again while that proves nothing, and resolves within VERDICT_MS. */
  async verdict(): Promise<Verdict> {
    const end = performance.now() + VERDICT_MS;
    await Promise.race([this.#known.promise, this.#pause(ANSWER_MS)]);
    if (this.#owner === undefined) return stays('it is not known which DaemonSet owns the pod');
    const what = `DaemonSet ${this.#options.namespace}/${this.#owner}`;
    let heard: string | undefined;
    for (;;) {
      const answer = await this.#ask(what, end);
      if ('uninstalled' in answer) return answer;
      const { isRefused } = answer;
      // What the server answered says more than its silence at another time.
      if (isRefused !== undefined) heard = answer.said;
      const said = heard ?? answer.said;
      const left = end - performance.now();
      const isLast = left <= NEWS_MS + LEAST_MS || this.#stop.signal.aborted;
      // Who may not ask learns nothing by asking again. A busy server may still name another DaemonSet.
      if (this.#isGone && (isRefused || isLast))
        return gone(`${what} was seen being deleted; ${said}`);
      if (isLast) return stays(`${what} was not seen being deleted; ${said}`);
      await this.#pause(NEWS_MS);
    }
  }

  close(): void {
    this.#stop.abort();
  }

  /** Asks once, until a time of performance.now() at the latest. */
  async #ask(what: string, end: number): Promise<Verdict | Undecided> {
    const ms = () => Math.ceil(Math.max(1, Math.min(ANSWER_MS, end - performance.now())));
    let answer: Answer;
    try {
      answer = await this.#get(`${this.#daemonSets}/${this.#owner}`, ms());
    } catch (error) {
      return { said: `the API server did not answer: ${RequestError.of(error).message}` };
    }
    const { status, object } = answer;
    const { metadata, kind, reason } = object;
    if (status === 404 && reason === 'NotFound') return gone(`${what} is gone`);
    if (status !== 200) {
      const said = `HTTP ${status}: ${object.message ?? 'no message'}`;
      return { said, isRefused: status === 401 || status === 403 };
    }
    if (kind !== 'DaemonSet')
      return { said: 'the answer of the API server is not a DaemonSet', isRefused: false };
    if (metadata?.deletionTimestamp) return gone(`${what} is being deleted`);
    if (await this.#isNamespaceDeleted(ms()))
      return gone(`the namespace of ${what} is being deleted`);
    return stays(`${what} exists`);
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
    if (!this.#isGone && !this.#isReported) {
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
      await this.#pause(ms * (0.5 + Math.random()));
    }
    return undefined;
  }

  /** Deleting a namespace ends its pods first and deletes its DaemonSets only afterwards. */
  async #isNamespaceDeleted(ms: number): Promise<boolean> {
    const path = `/api/v1/namespaces/${this.#options.namespace}`;
    const answer = await this.#get(path, ms).catch(() => {});
    return answer?.status === 200 && answer.object.metadata?.deletionTimestamp !== undefined;
  }

  get #daemonSets(): string {
    return `/apis/apps/v1/namespaces/${this.#options.namespace}/daemonsets`;
  }

  #get(path: string, ms: number): Promise<Answer> {
    const stop = AbortSignal.any([this.#stop.signal, AbortSignal.timeout(ms)]);
    return getObject({ kubeconfig: this.#options.kubeconfig, path, stop });
  }

  async #pause(ms: number): Promise<void> {
    await pause(ms, undefined, { signal: this.#stop.signal }).catch(() => {});
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
