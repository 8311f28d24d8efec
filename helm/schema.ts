import * as z from 'zod';
import { values } from './values.ts';

/** The JSON schema of the chart's values, of draft 7: the one that Helm 3 and Helm 4 both know. */
export function valuesSchema(): object {
  return stripped(z.toJSONSchema(values, { target: 'draft-7', io: 'input' })) as object;
}

/** Without what a validator has no use for, and with nothing required: values.yaml has defaults. */
function stripped(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(stripped);
  if (typeof value !== 'object' || value === null) return value;
  const { required: _, values: __, propertyNames: ___, ...kept } = value as Record<string, unknown>;
  return Object.fromEntries(Object.entries(kept).map(([key, one]) => [key, stripped(one)]));
}
