import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Counts the lines of segments, compressed or not, that contain both texts. */
export async function countLines(directory: string, content: string, also = ''): Promise<number> {
  const command = 'grep -F -- "$TEXT" | grep -cF -- "$ALSO" || true';
  const { stdout } = await shell(directory, command, content, also);
  return Number(stdout);
}

/** Returns the bytes of a journal's lines before compression. */
export async function countBytes(directory: string): Promise<number> {
  const { stdout } = await shell(directory, 'wc -c', '');
  return Number(stdout);
}

/** Returns the number of records that the journal reports as lost. */
export async function lossesReported(directory: string): Promise<number> {
  const { stdout } = await shell(directory, 'grep -F -- "$TEXT" || true', '"journal.loss"');
  return Array.from(stdout.matchAll(/"vcml\.loss\.count":(\d+)/g)).reduce(
    (sum, [, count]) => sum + Number(count),
    0,
  );
}

/** Lists the journal's segments in order. */
export function segments(directory: string): string[] {
  return readdirSync(directory)
    .filter((name) => /^\d{20}\.jsonl(\.zst)?$/.test(name))
    .sort()
    .map((name) => join(directory, name));
}

/** Runs a command on the lines of all segments; zstd passes uncompressed input through. */
async function shell(directory: string, command: string, content: string, also = '') {
  return run('bash', ['-c', `zstd -dcqf -- "$@" | ${command}`, 'bash', ...segments(directory)], {
    env: { ...process.env, LC_ALL: 'C', TEXT: content, ALSO: also },
    maxBuffer: 1 << 28,
  });
}
