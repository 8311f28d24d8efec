import { until } from '../support/until.ts';

/** The time in which the cluster must do something, on a busy machine. */
const PATIENCE = { timeoutMs: 180_000, intervalMs: 100 };

/**
 * Waits until `look` returns something; errors of `look` count as nothing, those of `check` do not.
 */
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
