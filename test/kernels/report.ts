/** The lines that a guest prints. */
export type Line =
  | { readonly kind: 'kernel'; readonly release: string }
  | { readonly kind: 'verified'; readonly program: string; readonly instructions: number }
  | { readonly kind: 'output'; readonly text: string }
  | {
      readonly kind: 'test';
      readonly name: string;
      readonly result: 'passed' | 'failed' | 'skipped';
      readonly error?: string;
    }
  | { readonly kind: 'complaints'; readonly lines: readonly string[] }
  | { readonly kind: 'end' };

/** The result of one boot, from its console. */
export interface Report {
  readonly release: string;
  /** Maps a program to the number of instructions that the verifier walked. */
  readonly verified: ReadonlyMap<string, number>;
  readonly passed: readonly string[];
  /** All problems, as sentences. */
  readonly problems: readonly string[];
}

/**
 * Reads a whole console. Missing lines are a problem, and so is a case in `refused` that does not fail
 * with its error.
 */
export function readReport(console: string, refused: ReadonlyMap<string, RegExp>): Report {
  const lines = console.split('\n').flatMap(parse);
  const problems: string[] = [];
  const passed: string[] = [];
  const verified = new Map<string, number>();
  let release = 'unknown';
  for (const line of lines) {
    if (line.kind === 'kernel') release = line.release;
    if (line.kind === 'verified') verified.set(line.program, line.instructions);
    if (line.kind === 'complaints') problems.push(...line.lines.map((one) => `kernel: ${one}`));
    if (line.kind !== 'test') continue;
    const refusal = refused.get(line.name);
    if (refusal?.test(line.error ?? '')) continue;
    if (line.result === 'passed' && refusal === undefined) passed.push(line.name);
    else problems.push(`${line.result}: ${line.name}\n${line.error ?? ''}`);
  }
  if (lines.at(-1)?.kind !== 'end') problems.push(`it did not come to its end:\n${tail(console)}`);
  return { release, verified, passed, problems };
}

function parse(line: string): Line[] {
  return line.startsWith('@{') ? [JSON.parse(line.slice(1)) as Line] : [];
}

function tail(console: string): string {
  return console.slice(-4000);
}
