import { execFileSync } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';
import { run } from 'node:test';
import type { Line } from '../report.ts';

/**
 * Runs in the guest the test files that $CASES names, one after the other, and reports to the host on
 * the console, one line of JSON each.
 */
async function main(): Promise<void> {
  tell({ kind: 'kernel', release: readFileSync('/proc/sys/kernel/osrelease', 'utf8').trim() });
  const { CASES = '', CGROUP_MODE } = process.env;
  // A kernel verifies the same programs in every mode, and none where lockdown forbids them.
  if (CGROUP_MODE === 'v2' && CASES !== 'refused/lockdown') tellVerified();
  const files = globSync(`/test/${CASES}.test.js`).sort();
  for await (const { type, data } of run({ files, concurrency: false })) {
    if (type === 'test:stderr' || type === 'test:stdout') {
      tell({ kind: 'output', text: data.message });
    } else if (type === 'test:pass' || type === 'test:fail') {
      if (data.details.type === 'suite') continue;
      const { error } = type === 'test:fail' ? data.details : {};
      const skipped = data.skip !== undefined || data.todo !== undefined;
      const result = error ? 'failed' : skipped ? 'skipped' : 'passed';
      tell({ kind: 'test', name: data.name, result, ...(error ? { error: textOf(error) } : {}) });
    }
  }
  tell({ kind: 'complaints', lines: complaints() });
  tell({ kind: 'end' });
}

function tellVerified(): void {
  const counts = execFileSync('/usr/bin/verifier', ['/build/exec.bpf.o'], { encoding: 'utf8' });
  for (const line of counts.trim().split('\n')) {
    const [program = '', instructions] = line.split(' ');
    tell({ kind: 'verified', program, instructions: Number(instructions) });
  }
}

function tell(line: Line): void {
  process.stdout.write(`\n@${JSON.stringify(line)}\n`);
}

function textOf(error: Error): string {
  const { cause } = error;
  return cause instanceof Error ? `${cause.message}\n${cause.stack}` : error.message;
}

/** The messages of a kernel that has a problem. */
function complaints(): string[] {
  const log = execFileSync('/bin/dmesg', { encoding: 'utf8' });
  return log.split('\n').filter((line) => /\b(BUG|WARNING|Oops|general protection)\b/.test(line));
}

await main();
