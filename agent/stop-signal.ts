/**
 * Aborts at the first signal that asks the agent to end, with the signal's name as its reason. Later
 * signals change nothing: an end that is cut short would leave the hook. The hang-up of a terminal is
 * such a signal only for what runs on one: elsewhere it is left to nohup and its like.
 */
export function stopSignal(): AbortSignal {
  const controller = new AbortController();
  const signals: NodeJS.Signals[] = ['SIGTERM', 'SIGINT'];
  if (process.stdout.isTTY) signals.push('SIGHUP');
  for (const signal of signals) process.on(signal, () => controller.abort(signal));
  return controller.signal;
}
