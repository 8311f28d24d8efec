import type { JournalLine } from '../../support/journal/followed-journal.ts';
import type { Entry } from './rows.ts';

/** Execs by their ids. */
export type Execs = ReadonlyMap<string, JournalLine>;

/** Returns an exec and what caused it, up to the one whose cause is no record. */
export function chainOf(exec: JournalLine, execs: Execs): JournalLine[] {
  const chain = [exec];
  for (let cause = causeOf(exec, execs); cause !== undefined; cause = causeOf(cause, execs))
    chain.push(cause);
  return chain;
}

function causeOf({ parent_cause }: JournalLine, execs: Execs): JournalLine | undefined {
  return execs.get(parent_cause ?? '');
}

/** Returns the nearest entry of a chain. */
export function entryIn(chain: readonly JournalLine[]): Entry | undefined {
  const at = chain.findIndex((record) => record.attributes['vcml.entry'] !== undefined);
  const record = chain[at];
  if (record === undefined) return undefined;
  const { attributes, resource } = record;
  // A runtime's process on its way into a container has no unit.
  const above = chain.slice(at + 1).map((cause) => cause.attributes['vcml.unit']);
  const from = above.find((unit) => unit !== undefined) ?? attributes['vcml.gap.ancestor.comm'];
  return {
    kind: attributes['vcml.entry'] as Entry['kind'],
    unit: attributes['vcml.unit'] as string | undefined,
    runtime: resource['container.runtime.name'] as string | undefined,
    authority: authorityOf(record),
    from: from as string | undefined,
  };
}

/** Returns the attributes of an authority, by the rest of their keys. */
export function authorityOf({ attributes }: JournalLine): Record<string, unknown> {
  const prefix = 'vcml.authority.';
  const found = Object.entries(attributes).filter(([key]) => key.startsWith(prefix));
  return Object.fromEntries(found.map(([key, value]) => [key.slice(prefix.length), value]));
}
