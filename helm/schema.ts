import * as z from 'zod';
import { values } from './values.ts';

/** Returns the JSON schema of the chart's values, in draft 7, which both Helm 3 and Helm 4 know. */
export function valuesSchema(): object {
  return stripped(z.toJSONSchema(values, { target: 'draft-7', io: 'input' })) as object;
}

/** Removes what no validator uses, and every `required`, because values.yaml has defaults. */
function stripped(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(stripped);
  if (typeof value !== 'object' || value === null) return value;
  const { required: _, values: __, propertyNames: ___, ...kept } = value as Record<string, unknown>;
  return Object.fromEntries(Object.entries(kept).map(([key, one]) => [key, stripped(one)]));
}
