import type { Pace } from '../../kube/pace.ts';
import { type ListWatch, reflect } from '../../kube/reflector.ts';
import type { Pod } from './pod.ts';
import { PodIndex } from './pod-index.ts';
import type { PodSource, PodSourceOptions, SourceState } from './pod-source.ts';

/** Follows this node's pods as fast as `pace` permits, and keeps trying while that fails. */
export function followPods(
  source: ListWatch<Pod>,
  pace: Pace,
  { onPod, report }: Pick<PodSourceOptions, 'onPod' | 'report'>,
): PodSource {
  const stop = new AbortController();
  const pods = new PodIndex({ onPod, report });
  let state: SourceState = 'starting';
  const done = reflect<Pod>({
    source,
    onList() {
      const listing = pods.replace();
      return {
        add: listing.add,
        end() {
          state = 'following';
          listing.end();
        },
      };
    },
    onChange: (change, pod) => (change === 'DELETED' ? pods.delete(pod) : pods.set(pod)),
    onProblem(error) {
      state = error === undefined ? 'following' : 'unreachable';
      report(error ? { event: 'metadata.unavailable', error } : { event: 'metadata.available' });
    },
    stop: stop.signal,
  });
  done.catch((error) => report({ event: 'metadata.unavailable', error }));
  return {
    candidates: (uid) => pods.candidates(uid),
    get state() {
      return state;
    },
    get pausedMs() {
      return pace.pausedMs;
    },
    close: () => stop.abort(),
  };
}
