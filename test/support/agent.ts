import { type ChildProcess, execFile, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { mountBpffs } from './bpffs.ts';
import { FollowedJournal, type JournalLine } from './journal/followed-journal.ts';
import { AGENT_BIN, built, ROOT } from './paths.ts';

const START_MS = 120_000;
const STOP_MS = 120_000;

/** Returns the path of a program from test/programs. */
export function program(name: string): string {
  return built(`programs/${name}`);
}

/** Runs a program from test/programs, whose arguments say what it does, to its end. */
export async function runProgram(name: string, ...args: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(program(name), args, { timeout: 600_000 });
  return stdout;
}

/** The folders and arguments of an agent. */
export interface AgentOptions {
  readonly journalDir?: string;
  /** in a bpffs */
  readonly pinDir?: string;
  readonly args?: readonly string[];
}

/** Starts an agent with its own folders and waits until it records. */
export async function startAgent(options: AgentOptions = {}): Promise<Agent> {
  const agent = new Agent(options);
  try {
    await agent.start();
  } catch (error) {
    await agent.close();
    throw error;
  }
  return agent;
}

/** A running agent with its own journal and bpffs, and all of its traces. */
export class Agent {
  readonly journalDir: string;
  readonly pinDir: string;
  /** what start() and detach() run */
  bin = AGENT_BIN;
  /** for the test's files; removed by close() */
  readonly directory: string;
  readonly journal: FollowedJournal;
  stderr = '';
  stdout = '';
  readonly #args: readonly string[];
  readonly #mount: string;
  #process: ChildProcess | undefined;

  constructor({ journalDir, pinDir, args = [] }: AgentOptions) {
    this.directory = mkdtempSync(join(tmpdir(), 'vcml-test-'));
    // programs of other users work here too
    chmodSync(this.directory, 0o755);
    this.#mount = join(this.directory, 'bpffs');
    mkdirSync(this.#mount);
    mountBpffs(this.#mount);
    process.once('exit', this.#abandon);
    this.journalDir = journalDir ?? join(this.directory, 'journal');
    this.pinDir = pinDir ?? join(this.#mount, 'vcml-agent');
    this.journal = new FollowedJournal(this.journalDir);
    this.#args = args;
  }

  /** Makes a bundle, which it starts from now on as an image does. */
  bundle(): void {
    const folder = join(this.directory, 'bundle');
    execFileSync(process.execPath, [join(ROOT, 'deploy/bundle.ts'), folder], { cwd: ROOT });
    this.bin = join(folder, 'bin/vcml-agent');
  }

  get pid(): number {
    const pid = this.#process?.pid;
    if (pid === undefined) throw new Error('no agent is running');
    return pid;
  }

  /** Starts the agent, the first time or again, and waits for its journal.start. */
  async start(...more: readonly string[]): Promise<JournalLine> {
    const before = this.#starts().length;
    const child = spawn(
      this.bin,
      [
        'run',
        '--journal-dir',
        this.journalDir,
        '--pin-dir',
        this.pinDir,
        '--print',
        'none',
        '--on-exit',
        'keep',
        '--node-name',
        'test-node',
        ...this.#args,
        ...more,
      ],
      { stdio: ['ignore', 'pipe', 'pipe'] },
    );
    this.#process = child;
    child.stdout.on('data', (data) => (this.stdout += data));
    child.stderr.on('data', (data) => (this.stderr += data));
    child.on('error', (error) => (this.stderr += error.message));
    return this.journal.waitFor(
      'journal.start',
      () => {
        if (hasEnded(child)) {
          throw new Error(
            `the agent ended (${child.exitCode ?? child.signalCode}): ${this.stderr}`,
          );
        }
        return this.#starts()[before];
      },
      START_MS,
    );
  }

  #starts(): readonly JournalLine[] {
    return this.journal.read().filter(({ action }) => action === 'journal.start');
  }

  records(): readonly JournalLine[] {
    return this.journal.read();
  }

  /** Ends the agent; returns its exit code, or the signal that ended it. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | NodeJS.Signals | null> {
    const child = this.#process;
    if (child === undefined) return null;
    if (!hasEnded(child)) {
      const ended = once(child, 'exit', { signal: AbortSignal.timeout(STOP_MS) });
      child.kill(signal);
      await ended;
    }
    this.#process = undefined;
    return child.exitCode ?? child.signalCode;
  }

  /** Kills the agent. */
  async kill(): Promise<void> {
    await this.stop('SIGKILL');
  }

  /** Runs `vcml-agent detach`. */
  detach(...args: readonly string[]): { status: number | null; output: string } {
    const { status, stdout, stderr } = spawnSync(
      this.bin,
      ['detach', '--pin-dir', this.pinDir, ...args],
      { encoding: 'utf8', timeout: STOP_MS },
    );
    return { status, output: stdout + stderr };
  }

  /** Leaves nothing behind, whatever has happened. */
  async close(): Promise<void> {
    try {
      await this.stop().catch(() => this.kill());
      if (existsSync(this.pinDir)) this.detach('--discard');
    } finally {
      process.off('exit', this.#abandon);
      this.#abandon();
    }
  }

  /** The clean-up without waiting: unmounting the bpffs removes everything that is pinned. */
  readonly #abandon = (): void => {
    if (this.#process !== undefined) this.#process.kill('SIGKILL');
    spawnSync('umount', ['--lazy', this.#mount]);
    rmSync(this.directory, { recursive: true, force: true });
  };
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}
