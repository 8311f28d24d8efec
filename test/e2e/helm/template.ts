import { execFileSync, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { ROOT } from '../../support/paths.ts';

const CHART = join(ROOT, 'helm/vcml-agent');
const KUBE_VERSION = '1.36.0';
const BIN = process.env.KUBE_BIN ?? join(ROOT, 'build/e2e/bin');

/** The two versions of Helm that the chart supports, by the names of their programs. */
export const HELMS = ['helm', 'helm3'] as const;
export type HelmName = (typeof HELMS)[number];

/** A part of an object whose form a test states itself. */
export type Part = Readonly<Record<string, unknown>>;

/** An object that the chart creates. */
export interface Rendered extends Part {
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    /** undefined: the object belongs to no namespace */
    readonly namespace?: string;
    readonly labels: Part;
  };
}

/** The container of the agent, as far as the tests read it. */
export interface AgentContainer {
  readonly securityContext: {
    readonly capabilities?: { readonly add?: readonly string[] };
    readonly appArmorProfile?: Part;
  };
  readonly env: readonly { readonly name: string; readonly value?: string }[];
  readonly ports: readonly Part[];
  readonly livenessProbe: Part;
  readonly readinessProbe: Part;
  readonly resources: { readonly limits?: Part; readonly requests?: Part };
  readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string }[];
}

/** The DaemonSet, as far as the tests read it. */
export interface DaemonSet extends Rendered {
  readonly spec: {
    readonly selector: { readonly matchLabels: Part };
    readonly updateStrategy: Part;
    readonly template: {
      readonly metadata: { readonly labels: Part };
      readonly spec: {
        readonly hostPID?: boolean;
        readonly hostUsers?: boolean;
        readonly containers: readonly [AgentContainer];
        readonly priorityClassName?: string;
        readonly volumes: readonly { readonly name: string; readonly secret?: Part }[];
      };
    };
  };
}

/** Renders the chart with values in YAML; throws what Helm reports. */
export function templateText(
  values = '',
  helm: HelmName = 'helm',
  namespace = 'vcml-agent',
  kubeVersion = KUBE_VERSION,
): string {
  const args = [...argsFor(kubeVersion), `--namespace=${namespace}`];
  return execFileSync(join(BIN, helm), args, { encoding: 'utf8', input: values, stdio: 'pipe' });
}

/** Renders the chart with values in YAML, and returns its objects. */
export function template(
  values = '',
  helm: HelmName = 'helm',
  namespace = 'vcml-agent',
  kubeVersion = KUBE_VERSION,
): Rendered[] {
  const text = templateText(values, helm, namespace, kubeVersion);
  return parseAllDocuments(text).flatMap((one) => one.toJS() ?? []);
}

/** Returns the only object of a kind; undefined if there is none. */
export function objectOf(kind: string, objects: readonly Rendered[]): Rendered | undefined {
  return objects.find((one) => one.kind === kind);
}

/** Renders the chart with values in YAML, and returns its DaemonSet. */
export function daemonSet(values = '', helm: HelmName = 'helm'): DaemonSet {
  return objectOf('DaemonSet', template(values, helm)) as DaemonSet;
}

/** Renders the chart with values in YAML, and returns the container of the agent. */
export function agentContainer(values = '', helm: HelmName = 'helm'): AgentContainer {
  return daemonSet(values, helm).spec.template.spec.containers[0];
}

/** Returns the message with which Helm refuses values in YAML; empty: it accepts them. */
export function refusal(
  values: string,
  helm: HelmName = 'helm',
  kubeVersion = KUBE_VERSION,
): string {
  const options = { encoding: 'utf8', input: values } as const;
  const { status, stderr } = spawnSync(join(BIN, helm), argsFor(kubeVersion), options);
  return status === 0 ? '' : stderr;
}

function argsFor(kubeVersion: string): string[] {
  return ['template', 'vcml-agent', CHART, `--kube-version=${kubeVersion}`, '--values=-'];
}
