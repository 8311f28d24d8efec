import { counted } from '../../../record/describe.ts';
import { visible } from '../../../record/visible.ts';
import { CODES } from '../../audit/codes.ts';
import { type AuditOptions, audit, type Placed, printFindings } from '../../commands/audit.ts';
import { reading } from '../../commands/reading.ts';
import { ForensicsError } from '../../errors.ts';
import { remark } from '../../output/stderr.ts';
import { flush, paint } from '../../output/stdout.ts';
import { timeRangeOf } from '../../select/filter.ts';
import { askNode } from '../answer/ask-node.ts';
import { EMPTY, storeCompleteness } from '../arrivals/completeness.ts';
import { type ConnectionOptions, connect, STREAM_S } from '../connect.ts';
import { refuseOtherSchema } from '../refuse.ts';
import { auditFleet, type FleetFinding } from './fleet.ts';

/** The options of `vcml audit` that are for a store, and those of the connection. */
export interface StoreAuditOptions extends AuditOptions, ConnectionOptions {
  readonly since?: string;
  readonly node?: string;
  /** It is refused. */
  readonly witness?: readonly string[];
}

/** Audits one node with every rule, or all nodes with those that the store itself can apply. */
export async function storeAudit(address: string, options: StoreAuditOptions): Promise<number> {
  const { since, node, witness } = options;
  if (witness !== undefined)
    throw new ForensicsError(
      'usage',
      '--witness compares a journal on disk: name its folder, and the store as --witness',
    );
  if (since === undefined)
    throw new ForensicsError(
      'usage',
      'an audit of a store needs --since, because a store has the records of all nodes; --since 100w reads everything',
    );
  if (node !== undefined) {
    const opening = askNode(address, options, { node, since });
    return reading(opening, (journals) => audit(journals, options));
  }
  if (options.config !== undefined)
    throw new ForensicsError(
      'usage',
      '--config is for the audit of files or of one node: add --node NAME',
    );
  await using store = connect(address, options, STREAM_S);
  await refuseOtherSchema(store);
  const times = timeRangeOf({ since }, Date.now());
  const { nodes, deleted, findings } = await auditFleet(store, times);
  if (nodes === 0) throw new ForensicsError('negative', EMPTY);
  const shown = `${store.address.url.replace(/^https?/, 'clickhouse')}/${store.address.database}`;
  const code = await printFindings(
    findings.map((finding) => placed(finding, shown)),
    options,
    (isSound) => verdictOf(isSound, deleted),
    counted(nodes, 'node'),
  );
  await flush();
  remark(
    'a store cannot say whether journals were changed on their nodes: audit a journal, with --witness and this address',
  );
  remark(visible(await storeCompleteness(store, undefined, times)));
  return code;
}

/** Nobody can judge what was deleted. */
function verdictOf(isSound: boolean, deleted: number): string {
  if (!isSound) return paint('bad', 'findings');
  if (deleted === 0) return 'sound';
  return `sound, except for ${counted(deleted, 'record')} that the store has deleted`;
}

function placed({ code, severity, node, id, more }: FleetFinding, shown: string): Placed {
  const [usual, says] = CODES[code];
  const message = more === undefined ? says : `${says}; ${more}`;
  return { code, severity: severity ?? usual, file: `${shown}#${node}`, id, message };
}
