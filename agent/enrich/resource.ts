import { KEYS } from '../../record/fields.ts';
import { escapeLineEnds } from '../../record/line/json-text.ts';

/** The attributes of an OpenTelemetry resource, in the order in which they are written. */
export type ResourceAttributes = Readonly<Record<string, string | number | readonly string[]>>;

/** What the host's resource is made from. */
export interface HostOptions {
  readonly nodeName: string;
  /** empty: none is configured */
  readonly clusterName?: string;
  /** the text of /etc/machine-id without its line end; undefined: it cannot be read */
  readonly machineId: string | undefined;
  /** Whether the host is a node of Kubernetes. */
  readonly kubernetes: boolean;
  /**
   * the value of OTEL_RESOURCE_ATTRIBUTES: `k=v,k=v`, percent-encoded (OpenTelemetry specification)
   */
  readonly extra: string | undefined;
  /** the value of OTEL_SERVICE_NAME, which overrides a `service.name` in `extra` */
  readonly serviceName?: string | undefined;
}

/** Returns the host's part of every record's resource. */
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

/** Returns a resource as JSON text: well-formed Unicode with escaped line ends. */
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
