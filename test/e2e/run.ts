import { spawn } from 'node:child_process';
import { removeAbandoned } from './remove.ts';

/** Runs test files on a cluster, and leaves nothing of it behind, even when it is interrupted. */
const [tests = ''] = process.argv.slice(2);
const options = ['--test-concurrency=2', '--test-timeout=1800000', '--test-reporter=spec'];
const runner = spawn(process.execPath, ['--test', ...options, tests], { stdio: 'inherit' });
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.on(signal, () => runner.kill(signal));
runner.on('exit', (code) => {
  removeAbandoned();
  process.exitCode = code ?? 1;
});
