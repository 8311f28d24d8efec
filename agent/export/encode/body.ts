import type { Attributes } from '@opentelemetry/api';

/** What moves the cursor of a terminal, or ends a line. */
const CONTROL = /[\p{Cc}\p{Zl}\p{Zp}]/u;
/** The whole of it is an attribute; a body of any length could make a batch too large. */
const OBJECT_MAX = 256;

/** What a body is made of, beside the attributes. */
export interface Named {
  readonly action: string;
  readonly object: string;
  readonly actor: { readonly pid: number };
}

/** A log record's body: one line for people; everything in it is an attribute too. */
export function bodyOf(record: Named, attributes: Attributes): string {
  const body = textOf(record, attributes);
  return CONTROL.test(body) ? body.replaceAll(new RegExp(CONTROL, 'gu'), ' ') : body;
}

function textOf({ action, object, actor }: Named, attributes: Attributes): string {
  if (action === 'exec') {
    const gap = attributes['vcml.gap.reason'];
    return `exec ${shortened(object)} (pid ${actor.pid})${gap === undefined ? '' : `, gap: ${gap}`}`;
  }
  if (action !== 'journal.loss') return `${action}: hook ${attributes['vcml.hook.state']}`;
  const count = attributes['vcml.loss.count'] ?? 'an unknown number of';
  const cpu = attributes['vcml.loss.cpu'];
  const where = cpu === undefined ? '' : ` of cpu ${cpu}`;
  return `lost ${count} ${count === 1 ? 'record' : 'records'}${where}: ${attributes['vcml.loss.stage']}`;
}

function shortened(text: string): string {
  if (text.length <= OBJECT_MAX) return text;
  // A half of a surrogate pair is no character.
  return `${text.slice(0, OBJECT_MAX).replace(/[\ud800-\udbff]$/, '')}…`;
}
