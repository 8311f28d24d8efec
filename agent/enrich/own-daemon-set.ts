import { setTimeout as pause } from 'node:timers/promises';
import { RequestError } from './kube-config.ts';
import { type Answer, getObject, type KubeObject } from './kube-get.ts';
import { ObjectListWatch } from './object-list-watch.ts';
import { reflect } from './reflector.ts';

/** What is said at the end must be said soon: a pod has half a minute to end. */
const ANSWER_MS = 3000;
/** So long the news of a pod's deletion may take to get here. */
const NEWS_MS = 2000;

export interface OwnDaemonSetOptions {
  /** the namespace and the name of the agent's own pod */
  readonly namespace: string;
  readonly pod: string;
  /** the path of a kubeconfig; empty: the service account of the agent's own pod */
  readonly kubeconfig: string;
  /** Whether the DaemonSet is followed as well, to see it go. */
  readonly followed: boolean;
  /** Called once, when at the end it could be told whether the DaemonSet is gone. */
  onKnown(name: string): void;
  /** Called when that could not be told, with the remedy. */
  onProblem(problem: Error): void;
}

/** Whether the agent's DaemonSet is gone, and how that is known. */
export interface Verdict {
  readonly uninstalled: boolean;
  /** It is, or is going, and there is no other in its place: not only the rights to ask are gone. */
  readonly seen: boolean;
  readonly because: string;
}

/**
 * Tells whether the DaemonSet that the agent's pod belongs to is there to start another agent. Only
 * what proves that it is gone counts; no answer, and any that is not understood, means that it is there.
 *
 * An account that was deleted (401) proves it only while the pod itself exists: a pod that was deleted
 * by force takes its token with it, too. So the pod is followed, by a watch that outlives the account.
 * So does that of the DaemonSet, where what goes cannot be had again: rights go in an upgrade, too.
 */
export class OwnDaemonSet {
  readonly #options: OwnDaemonSetOptions;
  readonly #stop = new AbortController();
  /** Whose the pod is, and whether that may be asked for. */
  readonly #known = Promise.withResolvers<void>();
  readonly #podGone = Promise.withResolvers<void>();
  readonly #gone = Promise.withResolvers<void>();
  /** Whether the DaemonSet was seen to go, and no other to come in its place. */
  #isGone = false;
  #owner: { readonly name: string; readonly uid: string } | undefined;
  /** Whether the pod is followed; else what is known of it is old. */
  #following = false;
  #asked = false;
  /** Whether the question of the end was allowed at the beginning. */
  #allowed = false;

  constructor(options: OwnDaemonSetOptions) {
    this.#options = options;
    const { namespace, pod } = options;
    this.#follow(
      `/api/v1/namespaces/${namespace}/pods`,
      pod,
      (found) => this.#podIs(found),
      (problem) => {
        this.#following = problem === undefined;
        if (problem) this.#tell(problem);
      },
    );
  }

  /** Asks, and answers within seconds. */
  async verdict(): Promise<Verdict> {
    await this.#within(ANSWER_MS, this.#known.promise);
    if (this.#owner === undefined) return stays('it is not known which DaemonSet the pod is of');
    const { name, uid } = this.#owner;
    const what = `DaemonSet ${this.#options.namespace}/${name}`;
    let answer: Answer;
    try {
      answer = await this.#ask(name);
    } catch (error) {
      return stays(`no answer of the API server: ${RequestError.of(error).message}`);
    }
    const { status, object } = answer;
    const { metadata, kind, reason } = object;
    const said = `HTTP ${status}: ${object.message ?? 'no message'}`;
    switch (status) {
      case 200:
        if (kind !== 'DaemonSet') return stays('the API server’s answer is no DaemonSet');
        if (metadata?.uid !== uid) return gone(`${what} is another one by now`, false);
        if (metadata.deletionTimestamp) return gone(`${what} is being deleted`, true);
        if (await this.#isNamespaceDeleted())
          return gone(`the namespace of ${what} is being deleted`, true);
        return stays(`${what} is there`);
      case 404:
        return reason === 'NotFound' ? gone(`${what} is gone`, true) : stays(said);
      case 403:
        return this.#allowed
          ? gone('the agent’s rights are gone', await this.#isSeenGone())
          : stays(said);
      case 401:
        if (!this.#following || (await this.#within(NEWS_MS, this.#podGone.promise)))
          return stays('the agent’s pod was deleted by force, or is not followed');
        return gone('the agent’s account is gone', await this.#isSeenGone());
      default:
        return stays(said);
    }
  }

  close(): void {
    this.#stop.abort();
  }

  /** Hears of an object as it is, or (undefined) that it is not there, from now on. */
  #follow(
    path: string,
    name: string,
    onObject: (object: KubeObject | undefined) => void,
    onProblem: (problem: Error | undefined) => void,
  ): void {
    const { kubeconfig } = this.#options;
    const following = reflect<KubeObject>({
      source: new ObjectListWatch({
        ...{ kubeconfig, path, fieldSelector: `metadata.name=${name}`, cached: false },
      }),
      onList: ([found]) => onObject(found),
      onChange: (change, found) => onObject(change === 'DELETED' ? undefined : found),
      onProblem,
      stop: this.#stop.signal,
    });
    following.catch((error) => this.#tell(error));
  }

  /** What is seen of the DaemonSet may be on its way here yet. */
  async #isSeenGone(): Promise<boolean> {
    if (!this.#options.followed) return false;
    await this.#within(NEWS_MS, this.#gone.promise);
    return this.#isGone;
  }

  #daemonSetIs(found: KubeObject | undefined): void {
    this.#isGone = found === undefined || found.metadata?.deletionTimestamp !== undefined;
    if (this.#isGone) this.#gone.resolve();
  }

  #podIs(pod: KubeObject | undefined): void {
    this.#following = true;
    if (pod === undefined && this.#owner !== undefined) {
      this.#podGone.resolve();
      return;
    }
    this.#owner = pod?.metadata?.ownerReferences?.find(
      ({ kind, controller }) => kind === 'DaemonSet' && controller,
    );
    if (this.#owner === undefined) {
      this.#tell(new Error(pod === undefined ? 'there is no such pod' : 'no DaemonSet owns it'));
      this.#known.resolve();
    } else if (!this.#asked) {
      this.#asked = true;
      if (this.#options.followed)
        this.#follow(
          this.#path(''),
          this.#owner.name,
          (found) => this.#daemonSetIs(found),
          (problem) => problem && this.#tell(problem),
        );
      void this.#askFirst(this.#owner.name).finally(this.#known.resolve);
    }
  }

  /** What is forbidden now will say nothing when it is forbidden at the end. */
  async #askFirst(name: string): Promise<void> {
    try {
      const { status, object } = await this.#ask(name);
      this.#allowed = status === 200;
      if (this.#allowed) this.#options.onKnown(`${this.#options.namespace}/${name}`);
      else this.#tell(RequestError.of({ code: status, body: object }));
    } catch (error) {
      this.#tell(error);
    }
  }

  #ask(name: string): Promise<Answer> {
    return this.#get(this.#path(`/${name}`));
  }

  #path(name: string): string {
    return `/apis/apps/v1/namespaces/${this.#options.namespace}/daemonsets${name}`;
  }

  /** A namespace is deleted with its pods first, and everything else after they have ended. */
  async #isNamespaceDeleted(): Promise<boolean> {
    const answer = await this.#get(`/api/v1/namespaces/${this.#options.namespace}`).catch(() => {});
    return answer?.status === 200 && answer.object.metadata?.deletionTimestamp !== undefined;
  }

  #get(path: string): Promise<Answer> {
    const stop = AbortSignal.any([this.#stop.signal, AbortSignal.timeout(ANSWER_MS)]);
    return getObject(this.#options.kubeconfig, path, stop);
  }

  /** Whether it comes to pass by then. */
  #within(ms: number, event: Promise<void>): Promise<boolean> {
    const late = pause(ms, false, { signal: this.#stop.signal });
    return Promise.race([event.then(() => true), late]);
  }

  #tell(error: unknown): void {
    const { namespace, pod, followed, onProblem } = this.#options;
    if (this.#stop.signal.aborted) return;
    const { message, statusCode } = RequestError.of(error);
    const remedy = statusCode === 403 ? `; ${followed ? MORE_RIGHTS : RIGHTS}` : '';
    onProblem(new Error(`pod ${namespace}/${pod}: ${message}${remedy}`));
  }
}

const RIGHTS =
  'let the agent’s account get daemonsets and namespaces, and get, list and watch pods, there';

const MORE_RIGHTS =
  'let the agent’s account get namespaces, and get, list and watch daemonsets and pods, there';

function gone(because: string, seen: boolean): Verdict {
  return { uninstalled: true, seen, because };
}

function stays(because: string): Verdict {
  return { uninstalled: false, seen: false, because };
}
