import type { V1Pod } from '@kubernetes/client-node';
import {
  atMost,
  boolean,
  bytes,
  inline,
  many,
  manyIn,
  map,
  message,
  number,
  one,
  type Read,
  type Room,
  reader,
  text,
} from '../protobuf.ts';

/** Kubernetes' Time: seconds and nanoseconds since the epoch; objects carry whole seconds. */
const timestamp = message<{ seconds?: number }>({ 1: one('seconds', number) });
const time: Read<Date> = {
  wireType: timestamp.wireType,
  next: (reader) => new Date((timestamp.next(reader).seconds ?? 0) * 1000),
};

const owner = message({
  1: one('kind', text),
  3: one('name', text),
  4: one('uid', text),
  5: one('apiVersion', text),
  6: one('controller', boolean),
});
/** More than slimPod() keeps of any part, so that it sees where something is missing. */
const PARTS_MAX = 1000;
/** The bytes of a variable, or of an argument of a command, and of all of them in a pod. */
const VARIABLE_MAX = 16 << 10;
const VARIABLES_MAX = 256 << 10;

/** `room`: for the variables and arguments of all containers of a pod. */
function containerIn(room: Room): Read<object> {
  const variable = message({ 1: one('name', text), 2: one('value', text) });
  const handler = message({ 1: one('exec', message({ 1: manyIn(room, 'command', text) })) });
  const probe = message({ 1: inline(handler) });
  return message({
    1: one('name', text),
    2: one('image', text),
    7: manyIn(room, 'env', variable),
    10: one('livenessProbe', probe),
    11: one('readinessProbe', probe),
    12: one('lifecycle', message({ 1: one('postStart', handler), 2: one('preStop', handler) })),
    22: one('startupProbe', probe),
    24: one('restartPolicy', text),
  });
}

const state = message({ 3: one('terminated', message({ 7: one('containerID', text) })) });
const status = message({
  1: one('name', text),
  3: one('lastState', state),
  5: one('restartCount', number),
  7: one('imageID', text),
  8: one('containerID', text),
});

const METADATA = message({
  1: one('name', text),
  3: one('namespace', text),
  5: one('uid', text),
  8: one('creationTimestamp', time),
  11: atMost(PARTS_MAX, map('labels')),
  12: atMost(PARTS_MAX, map('annotations')),
  13: atMost(PARTS_MAX, many('ownerReferences', owner)),
});
const STATUS = message({
  1: one('phase', text),
  7: one('startTime', time),
  8: atMost(PARTS_MAX, many('containerStatuses', status)),
  10: atMost(PARTS_MAX, many('initContainerStatuses', status)),
  13: atMost(PARTS_MAX, many('ephemeralContainerStatuses', status)),
});

/** Reads a pod of k8s.io/api/core/v1/generated.proto, as far as records need it. */
function readPod(buffer: Uint8Array): V1Pod {
  const container = containerIn({ left: VARIABLES_MAX, longest: VARIABLE_MAX });
  const spec = message({
    2: atMost(PARTS_MAX, many('containers', container)),
    8: one('serviceAccountName', text),
    20: atMost(PARTS_MAX, many('initContainers', container)),
    34: atMost(PARTS_MAX, many('ephemeralContainers', message({ 1: inline(container) }))),
  });
  const fields = { 1: one('metadata', METADATA), 2: one('spec', spec), 3: one('status', STATUS) };
  return reader<V1Pod>(fields)(buffer);
}

/** The type of the event that follows the last pod that existed when the call began. */
export const SYNCED = 4;

/** An event of the kubelet's pods API; `type` by its number. */
export interface PodEvent {
  readonly type: number;
  /** The parts that records need; undefined: the event concerns no pod. */
  readonly pod: V1Pod | undefined;
}

const readEvent = reader<{ type?: number; pod?: Uint8Array }>({
  1: one('type', number),
  2: one('pod', bytes),
});

/** Reads a WatchPodsEvent; throws where it is damaged. */
export function readPodEvent(buffer: Uint8Array): PodEvent {
  const { type = 0, pod } = readEvent(buffer);
  return { type, pod: pod?.length ? readPod(pod) : undefined };
}
