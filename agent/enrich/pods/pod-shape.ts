import {
  apart,
  chosen,
  elements,
  LONG_TEXT,
  type Members,
  members,
  OPTIONAL_TEXT,
  TEXT,
} from '../../kube/json-shape.ts';
import { TEMPLATE_HASH } from './owners.ts';
import { CONFIG_HASH, CONFIG_SOURCE, MIRROR, type PodKeys, SERVICE_NAME } from './pod.ts';

const OWNER = members({ apiVersion: TEXT, kind: TEXT, name: TEXT, uid: TEXT, controller: TEXT });
const HANDLER = members({ exec: members({ command: elements(LONG_TEXT) }) });
const CONTAINERS = elements(
  members({
    name: TEXT,
    image: TEXT,
    restartPolicy: TEXT,
    env: apart(elements(members({ name: TEXT, value: LONG_TEXT }))),
    livenessProbe: apart(HANDLER),
    readinessProbe: apart(HANDLER),
    startupProbe: apart(HANDLER),
    lifecycle: apart(members({ postStart: HANDLER, preStop: HANDLER })),
  }),
);
const STATUSES = elements(
  members({
    name: TEXT,
    containerID: TEXT,
    imageID: TEXT,
    restartCount: TEXT,
    lastState: members({ terminated: members({ containerID: TEXT }) }),
  }),
);

const NEEDED = new Set([MIRROR, CONFIG_HASH, CONFIG_SOURCE, SERVICE_NAME]);

/** Returns the parts of a pod's JSON that slimPod() needs. */
export function podShape(keys: PodKeys): Members {
  const labels = chosen((key) => {
    if (key === TEMPLATE_HASH) return TEXT;
    return keys.label(key) ? OPTIONAL_TEXT : undefined;
  });
  const annotations = chosen((key) => {
    return NEEDED.has(key) || keys.annotation(key) ? OPTIONAL_TEXT : undefined;
  });
  return members({
    metadata: members({
      resourceVersion: TEXT,
      uid: TEXT,
      namespace: TEXT,
      name: TEXT,
      creationTimestamp: TEXT,
      ownerReferences: elements(OWNER),
      labels,
      annotations,
    }),
    spec: members({
      initContainers: CONTAINERS,
      containers: CONTAINERS,
      ephemeralContainers: CONTAINERS,
      serviceAccountName: TEXT,
    }),
    status: members({
      phase: TEXT,
      startTime: TEXT,
      initContainerStatuses: STATUSES,
      containerStatuses: STATUSES,
      ephemeralContainerStatuses: STATUSES,
    }),
  });
}
