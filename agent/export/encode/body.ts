import type { Attributes } from '@opentelemetry/api';
import {
  checkpointInWords,
  hookInWords,
  lossInWords,
  withheldInWords,
} from '../../../record/describe.ts';
import { KEYS } from '../../../record/fields.ts';
import { shortened } from '../../../record/visible.ts';

/** Characters that move the cursor of a terminal or end a line; each becomes a space. */
const CONTROL = /[\p{Cc}\p{Zl}\p{Zp}]/u;
/**
 * The whole object is an attribute as well; a body without a limit could make a batch too large.
 */
const OBJECT_MAX = 256;

/** The core fields that a body is made of, beside the attributes. */
interface Named {
  readonly action: string;
  readonly object: string;
  readonly actor: { readonly pid: number };
}

/** Writes a log record's body: one readable line. Everything in it is an attribute as well. */
export function bodyOf(record: Named, attributes: Attributes): string {
  return oneLine(textOf(record, attributes));
}

/** Returns the body of an exec that is no gap up to the pid; a parenthesis closes it. */
export function beginOfBody(object: string): string {
  return oneLine(execUpToPid(object));
}

function oneLine(body: string): string {
  return CONTROL.test(body) ? body.replaceAll(new RegExp(CONTROL, 'gu'), ' ') : body;
}

function execUpToPid(object: string): string {
  return `exec ${shortened(object, OBJECT_MAX)} (pid `;
}

function textOf({ action, object, actor }: Named, attributes: Attributes): string {
  if (action === 'exec') {
    const gap = attributes[KEYS.gapReason];
    return `${execUpToPid(object)}${actor.pid})${gap === undefined ? '' : `, gap: ${gap}`}`;
  }
  const attribute = (key: string) => attributes[key];
  if (action === 'journal.withheld') return withheldInWords(attribute);
  if (action === 'journal.checkpoint') return checkpointInWords(attribute);
  if (action !== 'journal.loss') return `${action}: ${hookInWords(attribute)}`;
  const { records, cpu, stage } = lossInWords(attribute);
  return `lost ${records}${cpu === undefined ? '' : ` of cpu ${cpu}`}: ${stage}`;
}
