import { indexName } from '../../record/index/open-index.ts';
import { indexFaultOf } from '../exec-lines/index-of-file.ts';
import type { Source } from '../inputs/source.ts';

/** Compares the indexes of segments with the segments; of a damaged segment, none is right. */
export async function indexFaults(
  files: readonly Source[],
): Promise<{ readonly path: string; readonly fault: string }[]> {
  const faults: { path: string; fault: string }[] = [];
  for (const file of files) {
    if (!file.isOriginal || file.damage.length > 0) continue;
    const fault = file.isIndexChecked ? file.indexFault : await indexFaultOf(file.original);
    const path = indexName(file.path) ?? indexName(file.original);
    if (fault !== undefined && path !== undefined) faults.push({ path, fault });
  }
  return faults;
}
