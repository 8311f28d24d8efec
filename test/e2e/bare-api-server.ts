import { type ChildProcess, spawn } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { freePorts } from '../support/free-ports.ts';
import { eventually } from './eventually.ts';
import { BIN } from './network.ts';

const TOKEN = 'administrator';
const LOG_BYTES = 4000;

/** An answer of the API server. */
export interface Answer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>> & { readonly message?: string };
  /** the warnings for whoever sent the request */
  readonly warnings: readonly string[];
}

/**
 * A real API server with its etcd and without a node: it stores and judges objects, and nothing runs.
 * It uses free ports and a folder of its own, so that it disturbs no cluster.
 */
export class BareApiServer implements AsyncDisposable {
  readonly #folder = mkdtempSync(join(tmpdir(), 'vcml-api-server-'));
  readonly #processes: ChildProcess[] = [];
  #port = 0;
  #log = '';

  static async start(): Promise<BareApiServer> {
    const server = new BareApiServer();
    try {
      await server.#start();
    } catch (error) {
      await server[Symbol.asyncDispose]();
      throw error;
    }
    return server;
  }

  /** Sends an object, or none, as the administrator or as another user; the server answers in JSON. */
  async send(method: string, path: string, object?: object, user?: string): Promise<Answer> {
    const headers: Record<string, string> = {
      authorization: `Bearer ${TOKEN}`,
      'content-type': 'application/json',
      ...(user === undefined ? {} : { 'impersonate-user': user }),
      ...(user === undefined ? {} : { 'impersonate-group': 'system:masters' }),
    };
    const options = { method, path, headers, port: this.#port, rejectUnauthorized: false };
    const outgoing = request({ host: '127.0.0.1', ...options });
    outgoing.end(object && JSON.stringify(object));
    const [response] = await once(outgoing, 'response');
    const body = await text(response);
    const warnings = response.headers.warning ?? '';
    return {
      status: response.statusCode,
      body: body.startsWith('{') ? JSON.parse(body) : { message: body },
      warnings: [...warnings.matchAll(/299 - "((?:[^"\\]|\\.)*)"/g)].map(([, said = '']) => said),
    };
  }

  /** Applies manifests as `kubectl apply` does, and refuses unknown fields; throws what it reports. */
  async apply(manifests: string): Promise<string> {
    const args = [
      `--server=https://127.0.0.1:${this.#port}`,
      `--token=${TOKEN}`,
      '--insecure-skip-tls-verify',
      'apply',
      '--server-side',
      '--validate=strict',
      '--filename=-',
    ];
    const child = spawn(join(BIN, 'kubectl'), args, { env: { HOME: this.#folder } });
    child.stdin.end(manifests);
    const [said, trouble, [code]] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      once(child, 'exit'),
    ]);
    if (code !== 0) throw new Error(trouble);
    return said;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    process.off('exit', this.#abandon);
    for (const one of this.#processes.reverse()) {
      if (one.exitCode !== null || one.signalCode !== null) continue;
      one.kill('SIGKILL');
      await once(one, 'exit');
    }
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #start(): Promise<void> {
    process.once('exit', this.#abandon);
    const [port = 0, client = 0, peer = 0] = await freePorts(3);
    this.#port = port;
    const file = (name: string) => join(this.#folder, name);
    mkdirSync(file('certificates'));
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    writeFileSync(file('accounts.key'), privateKey.export({ type: 'sec1', format: 'pem' }));
    writeFileSync(file('tokens.csv'), `${TOKEN},admin,admin,system:masters\n`);
    this.#run('etcd', [
      `--data-dir=${file('etcd')}`,
      '--unsafe-no-fsync',
      `--listen-client-urls=http://127.0.0.1:${client}`,
      `--advertise-client-urls=http://127.0.0.1:${client}`,
      `--listen-peer-urls=http://127.0.0.1:${peer}`,
    ]);
    this.#run('kube-apiserver', [
      `--etcd-servers=http://127.0.0.1:${client}`,
      '--bind-address=127.0.0.1',
      '--advertise-address=127.0.0.1',
      `--secure-port=${port}`,
      '--allow-privileged',
      `--cert-dir=${file('certificates')}`,
      '--service-cluster-ip-range=198.18.0.0/24',
      '--service-account-issuer=https://kubernetes.default.svc',
      `--service-account-key-file=${file('accounts.key')}`,
      `--service-account-signing-key-file=${file('accounts.key')}`,
      `--token-auth-file=${file('tokens.csv')}`,
      '--authorization-mode=RBAC',
    ]);
    const isReady = () =>
      this.send('GET', '/readyz').then(({ status }) => status === 200 || undefined);
    await eventually('the API server', isReady, () => this.#mustRun());
  }

  #run(component: string, args: readonly string[]): void {
    const child = spawn(join(BIN, 'kube'), [component, ...args], {
      stdio: ['ignore', 'ignore', 'pipe'],
      cwd: this.#folder,
    });
    child.stderr?.on('data', (data) => {
      this.#log = `${this.#log}${data}`.slice(-LOG_BYTES);
    });
    this.#processes.push(child);
  }

  #mustRun(): void {
    if (
      this.#processes.some(({ exitCode, signalCode }) => exitCode !== null || signalCode !== null)
    )
      throw new Error(`it ended: ${this.#log}`);
  }

  readonly #abandon = (): void => {
    for (const one of this.#processes) one.kill('SIGKILL');
    rmSync(this.#folder, { recursive: true, force: true });
  };
}
