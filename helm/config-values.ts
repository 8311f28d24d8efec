import { isDeepStrictEqual } from 'node:util';
import * as z from 'zod';
import { OPTIONS, type Option } from '../agent/config/options.ts';
import { schema } from '../agent/config/schema.ts';

/** The options that the chart sets itself; a value in the file would contradict the pod. */
const OF_THE_POD = ['journalDir', 'mountBpffs', 'nodeName', 'telemetryAddress', 'probeAddress'];

/** The defaults that an agent in a DaemonSet does not share with one that is started by hand. */
const DEFAULTS: Readonly<Record<string, string>> = {
  onExit: 'whenUninstalled',
  metadata: 'apiserver',
};

const FORMS: Readonly<Record<string, z.ZodType>> = {
  duration: z.union([z.string().regex(/^(0+|\d{1,15} ?(ms|s|m|h))$/), z.literal(0)]),
  size: z.union([z.string().regex(/^\d{1,15} ?(B|KiB|MiB|GiB)?$/), z.int().min(0)]),
};

/** The sizes from 1MiB to 1GiB, in each unit that expresses them exactly. */
const POWER_OF_TWO = powerOfTwo(20, 30);

/** The agent’s options as values of the chart, with the choices and forms of the agent’s schema. */
export const configValues = z.strictObject(
  Object.fromEntries(
    OPTIONS.filter(({ key }) => !OF_THE_POD.includes(key)).map((option) => {
      const { key, description, values } = option;
      const about = `${description} Accepts ${values}.`;
      const field = fieldOf(option);
      const value = DEFAULTS[key];
      const given = value === undefined ? field.optional() : field.default(value);
      return [key, given.describe(about)];
    }),
  ),
);

/** The agent’s defaults by key, in the form in which they are written in YAML. */
export const AGENT_DEFAULTS: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    OPTIONS.map(({ key, default: text, values }) => {
      // It stands for nothing, unless it is one of the words of a choice.
      const isEmpty = text === 'none' && !values.split(' | ').includes('none');
      return [key, yamlOf(isEmpty ? '' : text)];
    }),
  ),
  // In a pod, these two differ.
  print: 'none',
  kubeconfig: '""',
};

/** Quotes what is no single word, as a list is. */
function yamlOf(text: string): string {
  return /^\S+$/.test(text) ? text : JSON.stringify(text);
}

/** Returns the schema of an option, which checks its form; the agent checks the rest at its start. */
function fieldOf({ key, isQuantity }: Option): z.ZodType {
  const inner = schema.shape[key as keyof typeof schema.shape].unwrap();
  const { of, values } = inner.meta() ?? {};
  const form = String(values).startsWith('a power of two') ? POWER_OF_TWO : FORMS[String(of)];
  if (form) return form;
  const { description: _, ...json } = z.toJSONSchema(inner, { io: 'input', target: 'draft-7' });
  // The agent reads names from its file as they stand there, but Helm has changed a number by then.
  const isName = !isQuantity && isDeepStrictEqual(json.type, ['string', 'number']);
  return isName ? z.string() : z.fromJSONSchema(json);
}

function powerOfTwo(from: number, to: number): z.ZodType {
  const bytes = Array.from({ length: to - from + 1 }, (_, index) => 2 ** (from + index));
  const units = { 'B?': 1, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30 };
  const texts = Object.entries(units).map(([unit, factor]) => {
    const numbers = bytes.map((size) => size / factor).filter(Number.isInteger);
    return `(${numbers.join('|')}) ?${unit}`;
  });
  return z.union([z.string().regex(new RegExp(`^(${texts.join('|')})$`)), z.literal(bytes)]);
}
