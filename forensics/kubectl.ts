import { main } from './cli.ts';

process.exitCode = await main(process.argv, async () => {
  const { createClusterProgram } = await import('./cluster/program.ts');
  return createClusterProgram;
});
