import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

/** How much of an error text is kept. */
const ERROR_CHARACTERS = 4096;

/** The options that kubectl gets, which say where the cluster is. */
export interface Access {
  readonly context?: string;
  readonly kubeconfig?: string;
}

/** How a command of kubectl ended. */
export interface Ended {
  /** undefined: it was killed because its time was over */
  readonly exitCode: number | undefined;
  /** the beginning of what it wrote to stderr */
  readonly errors: string;
}

/** Runs kubectl and returns what it prints; rejects with its last line of errors. */
export async function kubectl(access: Access, args: readonly string[]): Promise<string> {
  const child = spawn('kubectl', [...flagsOf(access), ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const parts: Buffer[] = [];
  child.stdout.on('data', (part) => parts.push(part));
  const { exitCode, errors } = await endOf(child);
  if (exitCode === 0) return Buffer.concat(parts).toString();
  throw new Error(errors.trim().split('\n').at(-1) || `kubectl ended with exit code ${exitCode}`);
}

/** Runs kubectl, which writes to a file that is open, for at most this time. */
export async function kubectlInto(
  fd: number,
  timeoutMs: number,
  access: Access,
  args: readonly string[],
): Promise<Ended> {
  const child = spawn('kubectl', [...flagsOf(access), ...args], {
    stdio: ['ignore', fd, 'pipe'],
    timeout: timeoutMs,
  });
  return endOf(child);
}

async function endOf(child: ChildProcess): Promise<Ended> {
  const kill = () => child.kill();
  process.once('exit', kill);
  let errors = '';
  child.stderr?.on('data', (part) => {
    errors = (errors + part).slice(0, ERROR_CHARACTERS);
  });
  try {
    const [exitCode] = await once(child, 'close');
    return { exitCode: exitCode ?? undefined, errors };
  } catch (cause) {
    throw new Error(`kubectl cannot be run: ${(cause as Error).message}`, { cause });
  } finally {
    process.off('exit', kill);
  }
}

function flagsOf({ context, kubeconfig }: Access): string[] {
  return [
    ...(context === undefined ? [] : [`--context=${context}`]),
    ...(kubeconfig === undefined ? [] : [`--kubeconfig=${kubeconfig}`]),
  ];
}
