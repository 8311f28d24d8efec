import * as z from 'zod';
import { values } from './values.ts';

/**
 * A text. A schema has no messages of its own, so that the remedy is the value that Helm says it
 * expects where it has read a number, true or false.
 */
const TEXT = {
  if: { type: ['number', 'boolean'] },
  // biome-ignore lint/suspicious/noThenProperty: it is a word of JSON Schema.
  then: {
    const:
      'a text: put it in quotes ("1.10") or use --set-string, because without quotes Helm reads a number, true or false',
  },
  else: { type: 'string' },
};

/** Returns the JSON schema of the chart's values, in draft 7, which both Helm 3 and Helm 4 know. */
export function valuesSchema(): object {
  const schema = z.toJSONSchema(values, { target: 'draft-7', io: 'input' });
  return { ...(stripped(schema) as object), definitions: { text: TEXT } };
}

/**
 * Removes what no validator uses, and every `required`, because values.yaml has defaults. Refers to
 * TEXT in place of every string that is not one of a few words.
 */
function stripped(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(stripped);
  if (typeof value !== 'object' || value === null) return value;
  const node = value as Record<string, unknown>;
  const { required: _, values: __, of: ___, propertyNames: ____, ...kept } = node;
  // A text or a number: Helm loses nothing, and quotes are no remedy.
  if (Array.isArray(node.anyOf) && node.anyOf.some(isNumber)) return kept;
  if (node.type === 'string' && node.enum === undefined) {
    const { type: _, ...text } = kept;
    return { ...text, allOf: [{ $ref: '#/definitions/text' }] };
  }
  return Object.fromEntries(Object.entries(kept).map(([key, one]) => [key, stripped(one)]));
}

function isNumber({ type, const: value }: Record<string, unknown>): boolean {
  return type === 'integer' || type === 'number' || typeof value === 'number';
}
