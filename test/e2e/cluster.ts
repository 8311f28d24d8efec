import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { mountBpffs } from '../support/bpffs.ts';
import { createCertificates } from './certificates.ts';
import { createCgroup } from './cgroups.ts';
import { Component } from './component.ts';
import { eventually } from './eventually.ts';
import { buildImages } from './images.ts';
import { createNetwork, run } from './network.ts';
import {
  BPFFS,
  CGROUP,
  COMPONENT_CGROUP,
  DIR,
  NODE_NAME,
  RUNTIME,
  RUNTIME_ROOT,
  RUNTIME_SOCKET,
  RUNTIME_STATE,
} from './place.ts';
import { BPFFS_MARK, noteOutside, OWNER, ROOT_MARK, removeCluster } from './remove.ts';
import { COMMANDS, type ComponentName, writeSettings } from './settings.ts';

const FOLDERS = ['pki', 'log', 'etcd', 'cni', 'kubelet', 'manifests', 'images'];
const LOCK = '/tmp/vcml-e2e.lock';

/** A Kubernetes object; the API server validates its content. */
export type Manifest = Readonly<Record<string, unknown>>;

/** A real Kubernetes node with its control plane. */
export class Cluster implements AsyncDisposable {
  readonly #components = new Map<ComponentName, Component>();
  #release = (): void => {};

  /** Starts a node that is ready for pods, and removes any earlier one. */
  static async start(): Promise<Cluster> {
    const cluster = new Cluster();
    try {
      await cluster.#start();
    } catch (error) {
      await cluster[Symbol.asyncDispose]();
      throw error;
    }
    return cluster;
  }

  component(name: ComponentName): Component {
    const component = this.#components.get(name);
    if (component === undefined) throw new Error(`${name} was never started`);
    return component;
  }

  /** Runs kubectl as the cluster's administrator and returns its output. */
  kubectl(...args: readonly string[]): Promise<string> {
    return run(['kubectl', ...args]);
  }

  async apply(...items: readonly Manifest[]): Promise<void> {
    const list = JSON.stringify({ apiVersion: 'v1', kind: 'List', items });
    await run(['kubectl', 'apply', '--filename=-'], list);
  }

  /** Returns an object from the API server. */
  async get<T = Manifest>(...args: readonly string[]): Promise<T> {
    return JSON.parse(await this.kubectl('get', '--output=json', ...args));
  }

  /** Restarts the API server and waits until it answers. */
  async startApiServer(): Promise<void> {
    this.component('kube-apiserver').start();
    await this.#answering();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    process.off('exit', removeCluster);
    try {
      removeCluster();
    } finally {
      this.#release();
    }
  }

  async #start(): Promise<void> {
    this.#release = await takeLock();
    removeCluster();
    process.once('exit', removeCluster);
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
      process.once(signal, () => process.exit(1));
    for (const folder of FOLDERS) mkdirSync(join(DIR, folder), { recursive: true });
    writeFileSync(OWNER, `${process.pid}`);
    noteOutside();
    createCgroup(CGROUP);
    createCgroup(COMPONENT_CGROUP);
    shareBpffs();
    shareRoot();
    createNetwork();
    createCertificates();
    writeSettings();
    this.#run('etcd', 'kube-apiserver', RUNTIME);
    await this.importImages(buildImages());
    await this.#answering();
    this.#run('kube-controller-manager', 'kube-scheduler', 'kubelet', 'kube-proxy', 'dns');
    await this.#until('the node', () => this.#isReady());
    // The account is created a moment after the node is ready.
    await this.#until('an account for pods', () =>
      this.kubectl('get', 'serviceaccount', 'default'),
    );
  }

  /** Imports an archive of images into the runtime. */
  async importImages(archive: string): Promise<void> {
    if (RUNTIME === 'cri-o') return storeImages(archive);
    const ctr = ['ctr', `--address=${RUNTIME_SOCKET}`, '--namespace=k8s.io'];
    await this.#until('containerd', () => run([...ctr, 'version']));
    await run([...ctr, 'images', 'import', archive]);
  }

  #run(...names: readonly ComponentName[]): void {
    for (const name of names) {
      const component = new Component(name, COMMANDS[name]);
      this.#components.set(name, component);
      component.start();
    }
  }

  async #answering(): Promise<void> {
    await this.#until('the API server', () => this.kubectl('get', '--raw=/readyz'));
  }

  async #isReady(): Promise<true | undefined> {
    const path = '{.status.conditions[?(@.type=="Ready")].status}';
    const status = await this.kubectl('get', 'node', NODE_NAME, `--output=jsonpath=${path}`);
    return status === 'True' ? true : undefined;
  }

  #until<T>(what: string, look: () => Promise<T | undefined>): Promise<T> {
    return eventually(what, look, () => {
      for (const component of this.#components.values()) component.mustRun();
    });
  }
}

/** Copies the images of an archive to the storage of CRI-O, which has no command for it. */
async function storeImages(archive: string): Promise<void> {
  const manifest = await run(['tar', '-xOf', archive, './manifest.json']);
  const images: readonly { RepoTags: readonly string[] }[] = JSON.parse(manifest);
  for (const tag of images.flatMap(({ RepoTags }) => RepoTags)) {
    const stored = `containers-storage:[overlay@${RUNTIME_ROOT}+${RUNTIME_STATE}]${tag}`;
    await run(['skopeo', '--insecure-policy', 'copy', `docker-archive:${archive}:${tag}`, stored]);
  }
}

/** Waits until this machine has no other cluster; the returned function admits the next one. */
async function takeLock(): Promise<() => void> {
  // It holds the lock until its input ends, at the latest when this process ends.
  const holder = spawn('flock', [LOCK, 'sh', '-c', 'echo locked; exec cat'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  await once(holder.stdout, 'data');
  holder.unref();
  holder.stdout.destroy();
  return () => holder.stdin.end();
}

/** Mounts a shared bpffs, as on every host with systemd. */
function shareBpffs(): void {
  const mounted = execFileSync('stat', ['-f', '-c', '%T', BPFFS], { encoding: 'utf8' });
  if (mounted.trim() !== 'bpf_fs') {
    mountBpffs(BPFFS);
    writeFileSync(BPFFS_MARK, '');
  }
  execFileSync('mount', ['--make-shared', BPFFS]);
}

/** Shares the mount of `/`, as on every host with systemd; CRI-O mounts it in no pod otherwise. */
function shareRoot(): void {
  const propagation = execFileSync('findmnt', ['-no', 'PROPAGATION', '/'], { encoding: 'utf8' });
  if (propagation.trim() !== 'private') return;
  writeFileSync(ROOT_MARK, '');
  execFileSync('mount', ['--make-shared', '/']);
}
