import { mkdirSync, readdirSync } from 'node:fs';
import { literal } from '../columns.ts';
import { ForensicsError } from '../errors.ts';
import type { Journals } from '../journals.ts';
import { printNotes } from '../output/notes.ts';
import { writing } from '../output/written.ts';

/** The name of a node as the name of a folder, which the file system limits, also when escaped. */
const FOLDER = `CASE WHEN length(url_encode(node)) <= 200 THEN node
  WHEN node IS NULL THEN 'unknown' ELSE concat(left(node, 20), '…', md5(node)) END`;

/** Writes all records as Parquet into an empty folder, in one folder per day (UTC) and node. */
export async function exportParquet(journals: Journals, directory: string): Promise<number> {
  writing(directory, () => mkdirSync(directory, { recursive: true, mode: 0o700 }));
  if (writing(directory, () => readdirSync(directory)).length > 0)
    throw new ForensicsError(
      'usage',
      `${directory} is not empty: vcml overwrites nothing; name an empty folder`,
    );
  await journals.readyViews();
  // Arguments can be secret, and DuckDB gives its files the mode that the mask leaves.
  process.umask(0o077);
  await journals.rows(
    `COPY (SELECT *, strftime("time"::TIMESTAMP, '%Y-%m-%d') AS "day" FROM (
       SELECT * REPLACE (${FOLDER} AS node, "time"::TIMESTAMP AS "time") FROM records))
     TO ${literal(directory)} (FORMAT parquet, COMPRESSION zstd, PARTITION_BY ("day", node))`,
  );
  await printNotes(journals);
  return 0;
}
