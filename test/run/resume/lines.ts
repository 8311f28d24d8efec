const HOOK = { 'vcml.boot.id': 'boot', 'vcml.hook.id': '5' };

/** The line of a record of hook 5, as far as the next run reads it. */
export function line(action: string, attributes: object): string {
  return `${JSON.stringify({ action, attributes: { ...HOOK, ...attributes } })}\n`;
}

/** The line of an exec. */
export function exec(cpu: number, seq: number): string {
  return line('exec', { 'vcml.cpu': cpu, 'vcml.seq': seq });
}

/** The line of a loss. */
export function loss(stage: string, cpu: number, first: number, last: number): string {
  return line('journal.loss', {
    'vcml.loss.stage': stage,
    'vcml.loss.hook_id': '5',
    'vcml.loss.cpu': cpu,
    'vcml.loss.first_seq': first,
    'vcml.loss.last_seq': last,
  });
}

/** The line of a start. */
export function start(state: string, nextSeq: readonly number[], hook = '5'): string {
  return line('journal.start', {
    'vcml.hook.id': hook,
    'vcml.hook.state': state,
    'vcml.hook.next_seq': nextSeq,
  });
}
