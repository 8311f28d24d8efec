import { inResource, literal } from '../columns.ts';

/** What conditions are made of in an engine that speaks SQL. */
export interface Words {
  /** a text as the engine quotes it */
  literal(text: string): string;
  startsWith(text: string, beginning: string): string;
  /** Whether a part of a text matches a regular expression of RE2. */
  matches(text: string, regex: string): string;
  /** Whether a text matches a glob. */
  glob(text: string, pattern: string): string;
  /** what follows the first slash in a text */
  behindSlash(text: string): string;
  /** what follows the last slash in a text, or all of it */
  behindLastSlash(text: string): string;
  /** Whether a condition holds for an item of a list. */
  any(list: string, item: string, condition: string): string;
  /** an attribute of the resource; NULL if it is not there */
  inResource(key: string): string;
}

/** The words of DuckDB. */
export const DUCKDB: Words = {
  literal,
  startsWith: (text, beginning) => `starts_with(${text}, ${beginning})`,
  matches: (text, regex) => `regexp_matches(${text}, ${literal(regex)})`,
  glob: (text, pattern) => `${text} GLOB ${literal(pattern)}`,
  behindSlash: (text) => `split_part(${text}, '/', 2)`,
  behindLastSlash: (text) => `split_part(${text}, '/', -1)`,
  any: (list, item, condition) => `len(list_filter(${list}, lambda ${item}: ${condition})) > 0`,
  inResource,
};
