/**
 * Aborts, with the name as its reason, at the first signal that ends a run. Those that follow change
 * nothing: an end that is cut short would leave the hook. A terminal's hang-up is such a signal; away
 * from one it is left to nohup and its like.
 */
export function stopSignal(): AbortSignal {
  const controller = new AbortController();
  const signals: NodeJS.Signals[] = ['SIGTERM', 'SIGINT'];
  if (process.stdout.isTTY) signals.push('SIGHUP');
  for (const signal of signals) process.on(signal, () => controller.abort(signal));
  return controller.signal;
}
