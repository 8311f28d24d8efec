import { join } from 'node:path';
import { textOf } from '../../record/kernel-text.ts';
import { createRedactor, type Redact } from '../../redact/redactor.ts';
import type { Config } from '../config/schema.ts';
import { SSH_CONNECTION } from '../enrich/authority/authority.ts';
import { openContainerMemory } from '../enrich/container-memory.ts';
import { Enricher, type EnricherOptions } from '../enrich/enricher.ts';
import { NO_PODS, type PodSource, type PodSourceOptions } from '../enrich/pods/pod-source.ts';
import { hostResource, type ResourceAttributes } from '../enrich/resource.ts';
import { ContainerStates } from '../enrich/runtimes/container-states.ts';
import { RUNTIME_DIRS } from '../enrich/runtimes/runtimes.ts';
import { readCursor } from '../export/read/cursor.ts';
import { textIfThere } from '../files.ts';
import type { JournalOptions } from '../journal/journal.ts';
import type { Position } from '../journal/segment.ts';
import { readState } from '../journal/state.ts';
import { cgroupMakerOf } from '../source/cgroup-maker.ts';
import { type Hook, type HookOptions, partHashing } from '../source/hook.ts';
import { environmentAsked } from '../source/layout.ts';
import {
  createEnvironmentRecorder,
  type RecordEnvironment,
  TRACEPARENT,
} from '../source/recorded-environment.ts';
import { ROOT } from '../version.ts';
import { hostMountNamespace } from './proc.ts';
import type { Report } from './report.ts';
import type { Checkpoint } from './resume/checkpoint.ts';

/** The addon, where `make build` puts it. */
export const ADDON_PATH = `${ROOT}build/vcml_hook.node`;

/** Returns the options of the hook. */
export function hookOptions(config: Config): HookOptions {
  return {
    addonPath: ADDON_PATH,
    objectPath: `${ROOT}build/exec.bpf.o`,
    pinDir: config.pinDir,
    holder: `node ${config.nodeName}, pid ${process.pid}`,
    ringBytes: config.ringSize,
    tableEntries: config.tableEntries,
    argsBytes: config.arguments === 'none' ? 0 : config.argumentsMaxBytes,
    environment: hasEnvironment(config)
      ? environmentAsked.environmentEvery
      : environmentAsked.environmentEntries,
    quietAfterMs: config.quietAfter,
    mountBpffs: config.mountBpffs === 'true',
    attach: true,
  };
}

/** Returns what redacts arguments; undefined if they are not recorded. */
export function redactOf(config: Config): Redact | undefined {
  switch (config.arguments) {
    case 'none':
      return undefined;
    case 'full':
      return (args) => ({ args, redacted: 0 });
    default:
      return createRedactor({ names: config.redactNames, patterns: config.redactPatterns });
  }
}

/** Whether records say something of environments. */
function hasEnvironment({ environment, traceContext }: Config): boolean {
  return environment.length > 0 || traceContext === 'environment';
}

/** Returns the names of the variables that are kept of environments. */
export function environmentNames(config: Config): readonly string[] {
  const { execRequestVariables, environment, traceContext } = config;
  const trace = traceContext === 'environment' ? [TRACEPARENT] : [];
  // From where a login came. Every entry may be one.
  return [...execRequestVariables, SSH_CONNECTION, ...environment, ...trace];
}

/** Returns what says what records say of environments; undefined: they say nothing. */
export function environmentRecorder(config: Config): RecordEnvironment | undefined {
  const { environment: names, traceContext } = config;
  // Without arguments there is still something to redact.
  const redact = redactOf(config) ?? redactOf({ ...config, arguments: 'redacted' });
  if (redact === undefined || !hasEnvironment(config)) return undefined;
  return createEnvironmentRecorder({ names, hasTrace: traceContext === 'environment', redact });
}

/** Returns the options of the journal, whose clock is that of the hook. */
export function journalOptions(config: Config, hook: Hook): Omit<JournalOptions, 'report'> {
  return {
    dir: config.journalDir,
    segmentMaxBytes: config.segmentMaxBytes,
    segmentMaxAgeMs: config.segmentMaxAge,
    maxBytes: config.journalMaxBytes,
    sync: config.sync,
    syncIntervalMs: config.syncInterval,
    compressionLevel: config.compressionLevel,
    checkpointIntervalMs: config.checkpointInterval,
    known: knownPositions(config.journalDir),
    hashParts: partHashing(ADDON_PATH),
    now() {
      hook.touch();
      const [seconds = 0, nanos = 0] = hook.clock;
      return seconds * 1000 + nanos / 1e6;
    },
  };
}

/** Returns the positions that the journal had reached when they were noted. */
function knownPositions(dir: string): Position[] {
  const { position } = (readState(dir).state ?? {}) as Partial<Checkpoint>;
  return [position, readCursor(dir)].filter(
    (one) => Number.isSafeInteger(one?.segment) && Number.isSafeInteger(one?.offset),
  ) as Position[];
}

/** The file in the journal's folder with the facts about containers, for the next run. */
export const CONTAINERS_FILE = 'containers.jsonl';

/** Creates the enricher, which must still be started; `known` are options of it. */
export function createEnricher(
  config: Config,
  hook: Hook,
  known: Pick<EnricherOptions, 'started' | 'startedIsWhole'>,
  report: Report,
): Enricher {
  const dirs = [...RUNTIME_DIRS, ...config.runtimeDirs];
  const { execRequestVariables } = config;
  const runtimes = new ContainerStates(dirs, execRequestVariables, {
    onState: (id) => enricher.stateKnown(id),
    onStalled: () => report({ event: 'metadata.runtime_stalled' }),
  });
  const enricher = new Enricher({
    host: hostOf(config),
    hostMountNamespace: hostMountNamespace(),
    readState: (id) => runtimes.read(id),
    reading: (id) => runtimes.reading(id),
    runtimeOnly: config.metadata === 'none',
    waitMs: config.metadataWait,
    execRequestVariables,
    started: known.started,
    startedIsWhole: known.startedIsWhole,
    memory: openContainerMemory({
      file: join(config.journalDir, CONTAINERS_FILE),
      configuration: JSON.stringify([
        config.metadata,
        config.podLabels,
        config.podAnnotations,
        execRequestVariables,
      ]),
      onProblem: (error) => report({ event: 'run.containers_write_failed', error }),
    }),
    cgroupName(hierarchy, id) {
      const entry = hook.cgroup(hierarchy, id);
      if (entry === undefined) return undefined;
      const { parent, name, maker } = entry;
      return { parent, name: textOf(name, 0, name.length), maker: cgroupMakerOf(maker) };
    },
  });
  return enricher;
}

/** Returns the resource of the host. */
export function hostOf(config: Config): ResourceAttributes {
  return hostResource({
    nodeName: config.nodeName,
    clusterName: config.clusterName,
    machineId: textIfThere('/etc/machine-id')?.trim(),
    kubernetes: config.metadata !== 'none',
    extra: process.env.OTEL_RESOURCE_ATTRIBUTES,
    serviceName: process.env.OTEL_SERVICE_NAME,
  });
}

/** Loads the configured source of pod metadata, and no other one; returns what opens it. */
export async function loadPodSource(
  config: Config,
): Promise<(listeners: Pick<PodSourceOptions, 'onPod' | 'report'>) => PodSource> {
  const { metadata, nodeName, kubeconfig, podLabels, podAnnotations } = config;
  if (metadata === 'none') return () => NO_PODS;
  const { createGlobs } = await import('../enrich/pods/globs.ts');
  const keys = { label: createGlobs(podLabels), annotation: createGlobs(podAnnotations) };
  const options = { nodeName, keys, kubeconfig };
  if (metadata === 'apiserver') {
    const { followApiServer } = await import('../enrich/pods/api-server.ts');
    return (listeners) => followApiServer({ ...options, ...listeners });
  }
  const { kubeletEndpoint: endpoint, kubeletCertificate } = config;
  // The socket of the kubelet's pods API. It takes gRPC, which is large.
  if (endpoint.startsWith('unix:')) {
    const { followPodsApi } = await import('../enrich/pods/kubelet-pods-api.ts');
    return (listeners) => followPodsApi({ ...options, ...listeners }, endpoint);
  }
  const { askKubelet } = await import('../enrich/pods/kubelet.ts');
  const verify = kubeletCertificate === 'verify';
  return (listeners) => askKubelet({ ...options, ...listeners, endpoint, verify });
}
