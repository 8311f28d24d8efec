import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { unifiedHierarchy } from './cgroups.ts';
import { inNetwork } from './network.ts';
import { COMPONENT_CGROUP, DIR } from './place.ts';

const STOP_MS = 20_000;

/** A process of the cluster that tests can stop and restart. */
export class Component {
  readonly name: string;
  readonly #command: readonly string[];
  #process: ChildProcess | undefined;

  constructor(name: string, command: readonly string[]) {
    this.name = name;
    this.#command = command;
  }

  get pid(): number {
    const pid = this.#process?.pid;
    if (pid === undefined) throw new Error(`${this.name} does not run`);
    return pid;
  }

  /** Returns its log since the start of the cluster. */
  get log(): string {
    return readFileSync(this.#logFile, 'utf8');
  }

  get #logFile(): string {
    return `${DIR}/log/${this.name}.log`;
  }

  /** Starts the process in the cluster's network and cgroup. */
  start(): void {
    const log = openSync(this.#logFile, 'a');
    const procs = join(unifiedHierarchy(), COMPONENT_CGROUP, 'cgroup.procs');
    const [command = '', ...args] = inNetwork(this.#command);
    const child = spawn('sh', ['-c', 'echo $$ >"$0" && exec "$@"', procs, command, ...args], {
      stdio: ['ignore', log, log],
      cwd: DIR,
    });
    closeSync(log);
    // A failed test must not wait for it.
    child.unref();
    this.#process = child;
  }

  /** Throws an error with the end of its log if it has ended by itself. */
  mustRun(): void {
    const child = this.#process;
    if (child === undefined || !hasEnded(child)) return;
    const status = child.exitCode ?? child.signalCode;
    throw new Error(`${this.name} ended (${status}): ${this.log.slice(-2000)}`);
  }

  /** Ends the process, and kills it if that takes too long. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (child === undefined || hasEnded(child)) return;
    const ended = once(child, 'exit');
    child.kill(signal);
    const impatience = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
    await ended;
    clearTimeout(impatience);
  }
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}
