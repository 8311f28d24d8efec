import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { execAccount } from './access.ts';
import { writeKubeConfig } from './certificates.ts';
import type { Cluster, Manifest } from './cluster.ts';
import { eventually } from './eventually.ts';
import { inNetwork, run } from './network.ts';
import { DIR } from './place.ts';
import { container, pod } from './pods.ts';
import { RUNTIME_WITH_ENVIRONMENT } from './settings.ts';

const PORT = 9443;
const NAMESPACE = 'shop';
/** Sessions that are open at the same time. */
const AT_ONCE = 12;

/** A user, and how the ids of that user's requests get into a container. */
export interface User {
  readonly name: string;
  readonly variable: string;
}

/** The runtime moves the id into the environment, as Kubernetes will do by itself. */
export const ALICE: User = { name: 'alice', variable: 'KUBERNETES_EXEC_AUDIT_ID' };
/** The id stays in the command line, where the security-profiles-operator puts it today. */
export const BOB: User = { name: 'bob', variable: 'SPO_EXEC_REQUEST_UID' };
const USERS = [ALICE, BOB];

/** Returns the name of a user in the audit log. */
export function nameOf({ name }: User): string {
  return `system:serviceaccount:${NAMESPACE}:${name}`;
}

/** Returns the pod into which a user execs. */
export function podOf({ name }: User): string {
  return `pod-of-${name}`;
}

/** A pod that sets the variable of alice's requests itself, to the id of a request. */
export const FORGER = 'forger';

/** Starts that pod. */
export async function startForger(cluster: Cluster, id: string): Promise<void> {
  const main = container('main', ['sh', '-c', '/bin/true of-the-forger; exec sleep 100000'], {
    env: [{ name: ALICE.variable, value: id }],
  });
  const spec = { runtimeClassName: RUNTIME_WITH_ENVIRONMENT };
  await cluster.apply(inNamespace(pod(FORGER, [main], spec)));
  await cluster.kubectl('wait', 'pod', FORGER, '--for=condition=Ready', `--namespace=${NAMESPACE}`);
}

/** Prepares the webhook, the users and their pods. Returns what ends the webhook. */
export async function prepareSessions(cluster: Cluster): Promise<() => void> {
  const webhook = await startWebhook();
  await cluster.kubectl('create', 'namespace', NAMESPACE);
  await cluster.apply(
    runtimeClass(),
    ...USERS.map(webhookOf),
    ...USERS.flatMap(({ name }) => execAccount(name, NAMESPACE)),
  );
  for (const user of USERS) {
    await cluster.apply(inNamespace(podFor(user)));
    const token = await cluster.kubectl('create', 'token', user.name, `--namespace=${NAMESPACE}`);
    writeKubeConfig(user.name, { token: token.trim() });
  }
  const pods = USERS.map(podOf);
  await cluster.kubectl(
    'wait',
    'pod',
    ...pods,
    '--for=condition=Ready',
    `--namespace=${NAMESPACE}`,
  );
  return webhook;
}

/** Runs a session of a user to its end, in the pod of that user unless another one is named. */
export async function execAs(
  user: User,
  command: readonly string[],
  into = podOf(user),
): Promise<void> {
  const kubectl = ['kubectl', `--kubeconfig=${DIR}/${user.name}.conf`, `--namespace=${NAMESPACE}`];
  await run([...kubectl, 'exec', into, '--', ...command]);
}

/** Runs sessions, as many at once as are open at the same time. */
export async function overlapping(sessions: readonly (() => Promise<void>)[]): Promise<void> {
  const waiting = [...sessions];
  const work = async () => {
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) await next();
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
}

async function startWebhook(): Promise<() => void> {
  const program = join(import.meta.dirname, 'exec-webhook.ts');
  const pair = ['crt', 'key'].map((end) => `${DIR}/pki/apiserver.${end}`);
  const [command = '', ...args] = inNetwork([process.execPath, program, `${PORT}`, ...pair]);
  const child = spawn(command, args, { stdio: 'inherit' });
  // A failed test must not wait for it.
  child.unref();
  process.once('exit', () => child.kill());
  await eventually('the webhook', async () => {
    await run(['bash', '-c', `exec 3<>/dev/tcp/127.0.0.1/${PORT}`]);
    return true;
  });
  return () => child.kill();
}

/** Lets the API server ask the webhook about the execs of one user. */
function webhookOf(user: User): Manifest {
  const { name, variable } = user;
  return {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'MutatingWebhookConfiguration',
    metadata: { name: `execs-of-${name}` },
    webhooks: [
      {
        name: `execs-of-${name}.vcml.test`,
        clientConfig: {
          url: `https://127.0.0.1:${PORT}/${variable}`,
          caBundle: readFileSync(`${DIR}/pki/ca.crt`, 'base64'),
        },
        rules: [
          {
            apiGroups: [''],
            apiVersions: ['v1'],
            operations: ['CONNECT'],
            resources: ['pods/exec'],
          },
        ],
        matchConditions: [
          { name: 'user', expression: `request.userInfo.username == '${nameOf(user)}'` },
        ],
        admissionReviewVersions: ['v1'],
        sideEffects: 'None',
      },
    ],
  };
}

function runtimeClass(): Manifest {
  return {
    apiVersion: 'node.k8s.io/v1',
    kind: 'RuntimeClass',
    metadata: { name: RUNTIME_WITH_ENVIRONMENT },
    handler: RUNTIME_WITH_ENVIRONMENT,
  };
}

function podFor(user: User): Manifest {
  const spec = user === ALICE ? { runtimeClassName: RUNTIME_WITH_ENVIRONMENT } : {};
  return pod(podOf(user), [container('main', ['sleep', '100000'])], spec);
}

function inNamespace(manifest: Manifest): Manifest {
  return { ...manifest, metadata: { ...(manifest.metadata as object), namespace: NAMESPACE } };
}
