import { KEYS } from '../../record/fields.ts';
import { escapeLineEnds } from '../../record/line/json-text.ts';

/** Attributes of an OpenTelemetry resource, in the order they are written. */
export type ResourceAttributes = Readonly<Record<string, string | number | readonly string[]>>;

export interface HostOptions {
  readonly nodeName: string;
  /** empty: not configured */
  readonly clusterName?: string;
  /** /etc/machine-id, without its line end; undefined: not readable */
  readonly machineId: string | undefined;
  /** The node is one of Kubernetes. */
  readonly kubernetes: boolean;
  /** OTEL_RESOURCE_ATTRIBUTES, as the OpenTelemetry specification has it: k=v,k=v, percent-encoded */
  readonly extra: string | undefined;
  /** OTEL_SERVICE_NAME, which goes before a service.name in `extra` */
  readonly serviceName?: string | undefined;
}

/** The host part of every record's resource. */
export function hostResource(options: HostOptions): Readonly<Record<string, string>> {
  const { nodeName, clusterName = '', machineId, kubernetes, extra, serviceName } = options;
  return {
    ...extraAttributes(extra),
    ...(serviceName?.trim() ? { [KEYS.serviceName]: serviceName.trim() } : {}),
    [KEYS.hostName]: nodeName,
    ...(machineId === undefined || machineId === '' ? {} : { [KEYS.hostId]: machineId }),
    [KEYS.osType]: 'linux',
    ...(kubernetes ? { [KEYS.nodeName]: nodeName } : {}),
    ...(clusterName === '' ? {} : { [KEYS.clusterName]: clusterName }),
  };
}

/** A resource as JSON text: well-formed Unicode, with its line ends escaped. */
export function resourceText(attributes: ResourceAttributes): string {
  const text = JSON.stringify(attributes, (_, value) =>
    typeof value === 'string' ? value.toWellFormed() : value,
  );
  return escapeLineEnds(text);
}

function extraAttributes(extra: string | undefined): Record<string, string> {
  const attributes: Record<string, string> = {};
  for (const pair of (extra ?? '').split(',')) {
    const at = pair.indexOf('=');
    const key = decode(pair.slice(0, Math.max(0, at)).trim());
    const value = decode(pair.slice(at + 1).trim());
    const reserved = key.startsWith('k8s.') || key.startsWith('container.');
    if (key !== '' && value !== '' && !reserved) attributes[key] = value;
  }
  return attributes;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
