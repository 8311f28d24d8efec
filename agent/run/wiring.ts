import type { Config } from '../config/schema.ts';
import { followApiServer } from '../enrich/pods/api-server.ts';
import { createGlobs } from '../enrich/pods/globs.ts';
import { openKubelet } from '../enrich/pods/kubelet.ts';
import { NO_PODS, type PodSource, type PodSourceOptions } from '../enrich/pods/pod-source.ts';
import type { JournalOptions } from '../journal/journal.ts';
import { createRedactor, type Redact } from '../redact/redactor.ts';
import type { HookOptions } from '../source/hook.ts';
import { ROOT } from '../version.ts';

/** Where `make build` puts it. */
export const ADDON_PATH = `${ROOT}build/vcml_hook.node`;

/** The part of the configuration that the hook takes. */
export function hookOptions(config: Config): HookOptions {
  return {
    addonPath: ADDON_PATH,
    objectPath: `${ROOT}build/exec.bpf.o`,
    pinDir: config.pinDir,
    holder: `node ${config.nodeName}, pid ${process.pid}`,
    ringBytes: config.ringSize,
    tableEntries: config.tableEntries,
    argsBytes: config.arguments === 'none' ? 0 : config.argumentsMaxBytes,
    quietAfterMs: config.quietAfter,
    mountBpffs: config.mountBpffs === 'true',
    attach: true,
  };
}

/** What is recorded of arguments. */
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

/** The part of the configuration that the journal takes. */
export function journalOptions(config: Config): Omit<JournalOptions, 'onProblem'> {
  return {
    dir: config.journalDir,
    segmentMaxBytes: config.segmentMaxBytes,
    segmentMaxAgeMs: config.segmentMaxAge,
    maxBytes: config.journalMaxBytes,
    sync: config.sync,
    syncIntervalMs: config.syncInterval,
    compressionLevel: config.compressionLevel,
  };
}

/** The source of pods' metadata that is configured. */
export function openPodSource(
  config: Config,
  events: Pick<PodSourceOptions, 'onPod' | 'onProblem'>,
): PodSource {
  const { metadata, nodeName, kubeconfig, podLabels, podAnnotations } = config;
  const keys = { label: createGlobs(podLabels), annotation: createGlobs(podAnnotations) };
  const options = { nodeName, keys, kubeconfig, ...events };
  switch (metadata) {
    case 'apiserver':
      return followApiServer(options);
    case 'kubelet': {
      const { kubeletEndpoint, kubeletCertificate } = config;
      const verify = kubeletCertificate === 'verify';
      return openKubelet({ ...options, endpoint: kubeletEndpoint, verify });
    }
    default:
      return NO_PODS;
  }
}
