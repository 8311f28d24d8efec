import { stringify } from 'yaml';
import * as z from 'zod';
import { AGENT_DEFAULTS } from './config-values.ts';
import { values } from './values.ts';

const WIDTH = 98;

/** Returns the chart's values.yaml: every value with its default and a comment. */
export function valuesYaml(): string {
  const head =
    '# Generated from helm/values.ts: make generate. README.md has the same as a table.\n';
  return `${head}\n${groupText(values, '')}`;
}

/** A value with its key, such as `image.tag`. */
export interface Value {
  readonly key: string;
  readonly description: string;
  /** The default; undefined if the agent's own default applies. */
  readonly value: unknown;
}

/** Lists all values in the order of their declaration. */
export function listValues(group: z.ZodObject = values, prefix = ''): Value[] {
  return Object.entries(group.shape).flatMap(([key, field]) => {
    if (field instanceof z.ZodObject) return listValues(field, `${prefix}${key}.`);
    return [{ key: `${prefix}${key}`, description: descriptionOf(field), value: defaultOf(field) }];
  });
}

/**
 * Lists what must not be null, one path a line: every group, and every value whose default is not
 * empty. Lists and free-form maps may be null, because this is how a user of Helm empties them.
 */
export function neededValues(): string {
  return paths(values, '')
    .map((path) => `${path}\n`)
    .join('');
}

/** Values whose default is not empty, and that may be empty. */
const MAY_BE_NULL = ['hostPaths.machineId'];

function paths(group: z.ZodObject, prefix: string): string[] {
  return Object.entries(group.shape).flatMap(([key, field]) => {
    const path = `${prefix}${key}`;
    if (MAY_BE_NULL.includes(path)) return [];
    // Any key of the agent's configuration may be absent.
    if (path === 'config') return [path];
    if (field instanceof z.ZodObject) return [path, ...paths(field, `${path}.`)];
    const value = defaultOf(field);
    return typeof value === 'object' || !value ? [] : [path];
  });
}

function groupText(group: z.ZodObject, indent: string): string {
  return Object.entries(group.shape)
    .map(([key, field]) => {
      const comment = commentText(descriptionOf(field), indent);
      if (field instanceof z.ZodObject)
        return `${comment}${indent}${key}:\n${groupText(field, `${indent}  `)}`;
      const value = defaultOf(field);
      if (value === undefined) return `${comment}${indent}# ${key}: ${AGENT_DEFAULTS[key]}\n`;
      const text = stringify({ [key]: value }, { lineWidth: WIDTH });
      return comment + text.replaceAll(/^(?=.)/gm, indent);
    })
    .join(indent === '' ? '\n' : '');
}

function commentText(text: string, indent: string): string {
  const width = WIDTH - indent.length - 2;
  const lines = [''];
  for (const word of text.split(' ')) {
    const line = lines.at(-1) ?? '';
    if (line !== '' && line.length + 1 + word.length > width) lines.push(word);
    else lines[lines.length - 1] = line === '' ? word : `${line} ${word}`;
  }
  return lines.map((line) => `${indent}# ${line}\n`).join('');
}

function descriptionOf(field: unknown): string {
  return (field as z.ZodType).description ?? '';
}

function defaultOf(field: unknown): unknown {
  return field instanceof z.ZodDefault ? field.def.defaultValue : undefined;
}
