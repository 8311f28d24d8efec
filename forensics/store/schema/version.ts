import { createHash } from 'node:crypto';
import { literal } from './literal.ts';
import { type Layout, nameOf, onCluster, type Statement, statements } from './statements.ts';

/** The number of the schema; one with another number cannot be upgraded to it by new columns. */
export const SCHEMA_VERSION = 1;

/** The name of the view that says which schema a store has. */
export const VERSION_VIEW = 'schema';

/** What a store says about its schema. */
export interface Version {
  readonly version: number;
  /** changes with any statement */
  readonly fingerprint: string;
  /** `one server`, or the cluster's name */
  readonly layout: string;
}

/** Returns what a store with this layout says about its schema. */
export function versionOf({ cluster, replicated }: Layout): Version {
  return {
    version: SCHEMA_VERSION,
    fingerprint: FINGERPRINT,
    layout:
      cluster === undefined
        ? `one server${replicated ? ', with replicas' : ''}`
        : `cluster ${cluster}${replicated ? ', with replicas' : ''}`,
  };
}

/** Returns the statement that makes a store say so. */
export function versionStatement(layout: Layout): Statement {
  const { version, fingerprint, layout: laidOut } = versionOf(layout);
  return {
    kind: 'view',
    name: VERSION_VIEW,
    sql:
      `CREATE OR REPLACE VIEW ${nameOf(layout, VERSION_VIEW)}${onCluster(layout)} AS\n` +
      `SELECT ${version} AS version, ${literal(fingerprint)} AS fingerprint, ` +
      `${literal(laidOut)} AS layout`,
  };
}

/** Of the statements for one server: what another layout changes is not a change of the schema. */
export const FINGERPRINT = fingerprintOf(
  statements({
    database: 'vcml',
    cluster: undefined,
    replicated: false,
    everywhere: false,
    days: 30,
  }),
);

function fingerprintOf(all: readonly Statement[]): string {
  const hash = createHash('sha256');
  for (const { sql } of all) hash.update(`${sql};\n`);
  return hash.digest('hex').slice(0, 16);
}
