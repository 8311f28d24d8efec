import { placeNames } from '../../record/describe.ts';
import { KEYS, type Key } from '../../record/fields.ts';
import type { StoredRecord } from '../../record/read.ts';
import { plain, shortened, word } from '../../record/visible.ts';

const SHOWN_MAX = 200;
/** As a pod's specification names them. */
const HANDLERS: ReadonlyMap<string, string> = new Map([
  ['post_start', 'postStart'],
  ['pre_stop', 'preStop'],
]);

/**
 * Says what permitted an entry, as its record has it; undefined: nothing says so. Each text begins with
 * how far it is known.
 */
function authorityInWords(record: StoredRecord): string | undefined {
  const { attributes } = record;
  const text = (key: Key) => textOf(attributes[key]);
  const type = text(KEYS.authorityType);
  if (attributes[KEYS.entry] === undefined || type === undefined) return undefined;
  const id = text(KEYS.authorityId) ?? '?';
  switch (type) {
    case 'pod':
      return `permitted by: ${podOf(record, id)}`;
    case 'unit':
      return `permitted by: unit ${id}`;
    case 'login': {
      const remote = text(KEYS.authorityRemote);
      const claimed = attributes[KEYS.authorityClaimed] === true ? ' (claimed)' : '';
      return `permitted by: login uid ${id}${remote === undefined ? '' : ` from ${remote}${claimed}`}`;
    }
    case 'probe':
      return `same command as the ${id} probe (a person may have run it)`;
    case 'lifecycle':
      return `same command as the ${HANDLERS.get(id) ?? id} handler (a person may have run it)`;
    case 'exec_request': {
      const variable = text(KEYS.authoritySource);
      return `claimed: exec request ${id}${variable === undefined ? '' : ` in ${variable}`}`;
    }
    default:
      return `permitted by: ${type} ${id}`;
  }
}

/** Returns what a record itself says about what permitted it, as remarks on it. */
export function ownRemarks(record: StoredRecord): string[] {
  const authority = authorityInWords(record);
  return authority === undefined ? [] : [authority];
}

/** `pod shop/cart (Deployment cart, service account default)`, as far as the pod is known. */
function podOf({ resource, attributes }: StoredRecord, uid: string): string {
  const { namespace, pod } = placeNames(resource);
  const name = pod === undefined ? uid : [namespace, pod].filter(Boolean).join('/');
  const controllers = attributes[KEYS.authorityController];
  // The last one is above the others.
  const controller = Array.isArray(controllers) ? textOf(controllers.at(-1)) : undefined;
  const account = textOf(attributes[KEYS.authorityServiceAccount]);
  const details = [
    ...(controller === undefined ? [] : [controller.replace('/', ' ')]),
    ...(account === undefined ? [] : [`service account ${account}`]),
  ];
  return `pod ${name}${details.length === 0 ? '' : ` (${details.join(', ')})`}`;
}

/** What somebody chose is quoted if it has spaces, so that it does not read like words from here. */
function textOf(value: unknown): string | undefined {
  if (value === undefined || value === null || value === '') return undefined;
  return word(shortened(plain(value), SHOWN_MAX));
}
