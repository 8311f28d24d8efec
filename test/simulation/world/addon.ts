import { createRequire as createRealRequire } from 'node:module';
import { current } from './current.ts';

/** In place of that of `node:module`: the addon is the simulated kernel. */
export function createRequire(from: string | URL): (path: string) => unknown {
  const real = createRealRequire(from);
  return (path) => (path.endsWith('.node') ? current().kernel.addon : real(path));
}
