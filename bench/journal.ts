import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Lines of a journal's segments, compressed or not, that contain a text, and another. */
export async function countLines(directory: string, content: string, also = ''): Promise<number> {
  const command = 'grep -F -- "$TEXT" | grep -cF -- "$ALSO" || true';
  const { stdout } = await shell(directory, command, content, also);
  return Number(stdout);
}

/** Bytes of a journal's lines, before compression. */
export async function countBytes(directory: string): Promise<number> {
  const { stdout } = await shell(directory, 'wc -c', '');
  return Number(stdout);
}

/** How many records the journal itself says are lost. */
export async function lossesTold(directory: string): Promise<number> {
  const { stdout } = await shell(directory, 'grep -F -- "$TEXT" || true', '"journal.loss"');
  return Array.from(stdout.matchAll(/"vcml\.loss\.count":(\d+)/g)).reduce(
    (sum, [, count]) => sum + Number(count),
    0,
  );
}

/** The journal's segments, in order. */
export function segments(directory: string): string[] {
  return readdirSync(directory)
    .filter((name) => /^\d{20}\.jsonl(\.zst)?$/.test(name))
    .sort()
    .map((name) => join(directory, name));
}

/** zstd passes on as it is what is not compressed. */
async function shell(directory: string, command: string, content: string, also = '') {
  return run('bash', ['-c', `zstd -dcqf -- "$@" | ${command}`, 'bash', ...segments(directory)], {
    env: { ...process.env, LC_ALL: 'C', TEXT: content, ALSO: also },
    maxBuffer: 1 << 28,
  });
}
