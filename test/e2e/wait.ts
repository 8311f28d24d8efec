import { setTimeout as sleep } from 'node:timers/promises';

/** How long the cluster may take for what it must do, on a machine with much else to do. */
const PATIENCE_MS = 180_000;

/** Looks again and again until `look` gives something; its errors count as nothing, `check`'s do not. */
export async function until<T>(
  what: string,
  look: () => Promise<T | undefined>,
  check: () => void = () => {},
): Promise<T> {
  let why = '';
  for (const deadline = Date.now() + PATIENCE_MS; Date.now() < deadline; await sleep(100)) {
    check();
    try {
      const found = await look();
      if (found !== undefined) return found;
    } catch (error) {
      why = `: ${error instanceof Error ? error.message : error}`;
    }
  }
  throw new Error(`${what}: not within ${PATIENCE_MS} ms${why}`);
}
