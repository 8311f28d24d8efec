import { until } from '../support/until.ts';

/** How long the cluster may take for what it must do, on a machine with much else to do. */
const PATIENCE = { timeoutMs: 180_000, intervalMs: 100 };

/** Waits until `look` returns something; its errors count as nothing, `check`'s do not. */
export async function eventually<T>(
  what: string,
  look: () => Promise<T | undefined>,
  check: () => void = () => {},
): Promise<T> {
  let why = '';
  const attempt = async () => {
    check();
    return look().catch((error: unknown) => {
      why = ` (${error instanceof Error ? error.message : error})`;
      return undefined;
    });
  };
  return until(() => what + why, attempt, PATIENCE);
}
