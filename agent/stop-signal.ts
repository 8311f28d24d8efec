/**
 * Aborts at the first signal that asks the agent to end, with the signal's name as its reason.
 * Later signals change nothing, because an interrupted end would leave the hook. SIGHUP counts only
 * if the agent runs on a terminal; elsewhere nohup and similar tools rely on it.
 */
export function stopSignal(): AbortSignal {
  const controller = new AbortController();
  const signals: NodeJS.Signals[] = ['SIGTERM', 'SIGINT'];
  if (process.stdout.isTTY) signals.push('SIGHUP');
  for (const signal of signals) process.on(signal, () => controller.abort(signal));
  return controller.signal;
}
