import type { Attribute, Field } from '../fields/field.ts';
import { json, jsonStrings } from './json-text.ts';
import { before } from './layout.ts';

/** Returns an attribute as JSON text, with a comma before it. */
export function attributeText(field: Field, value: string): string {
  return `,${before(field)}${json(value)}`;
}

/**
 * Makes a function that returns a source's attributes as JSON text, each with a comma before it.
 */
export function createAttributesText<Source>(
  attributes: Readonly<Record<string, Attribute<Source>>>,
): (source: Source) => string {
  const members = Object.values(attributes).map((attribute) => ({
    before: `,${before(attribute)}`,
    value: attribute.value,
  }));
  return (source) => {
    const parts: string[] = [];
    for (const { before, value } of members) {
      const found = value(source);
      if (found === undefined || found === false) continue;
      parts.push(before, textOf(found));
    }
    // Joined, it is one string in memory; added up, it would be a tree of them.
    return parts.join('');
  };
}

function textOf(value: string | number | true | readonly string[] | readonly number[]): string {
  if (typeof value === 'string') return json(value);
  if (typeof value !== 'object') return `${value}`;
  return typeof value[0] === 'string'
    ? jsonStrings(value as readonly string[])
    : JSON.stringify(value);
}
