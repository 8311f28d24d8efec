import { KEYS } from '../../record/fields.ts';
import { inResource } from '../columns.ts';
import type { Journals } from '../journals.ts';
import type { Finding } from './finding.ts';

const POD_UID = inResource(KEYS.podUid);
const NAMES_OF = [KEYS.namespace, KEYS.podName, KEYS.podContainerName].map(inResource);

/**
 * Columns of a container and its names, as hashes, because texts would take ten times the memory.
 * The same id under another pod is another container.
 */
export const NAMES = [
  `CASE WHEN ${POD_UID} IS NOT NULL
   THEN hash(${inResource(KEYS.containerId)}, ${POD_UID}) END AS container`,
  `CASE WHEN ${NAMES_OF.map((name) => `${name} IS NOT NULL`).join(' AND ')}
   THEN hash(${NAMES_OF.join(', ')}) END AS names`,
];

/**
 * Finds records that name a container otherwise than most of its records do. Neither the names of its
 * pod nor its own ever change; where one of them was not known yet, the record is not compared.
 */
export async function containerNameFindings(journals: Journals): Promise<Finding[]> {
  const rows = await journals.rows(
    `WITH several AS (
       SELECT container FROM audited WHERE container IS NOT NULL GROUP BY container
       HAVING min(names) <> max(names)),
     own AS (SELECT rowid AS row, container, names FROM audited SEMI JOIN several USING (container)),
     usual AS (SELECT container, mode(names ORDER BY row) AS names FROM own GROUP BY container)
     SELECT row FROM own JOIN usual USING (container) WHERE own.names <> usual.names`,
  );
  return rows.map(([row]) => ({ code: 'CONTAINER_NAMES', row: Number(row) }));
}
