import type { StoredRecord } from '../../record/read.ts';
import { rfc3339Of } from '../../record/time.ts';
import { shortened, word } from '../../record/visible.ts';
import type { ExecRequest } from './exec-request.ts';
import { type Claim, contradictions, type Verdict } from './verdict.ts';

/** A client chooses an id, which may be long. */
const SHOWN_MAX = 100;
/** Whoever may use the API can send any number of requests with one id. */
const REQUESTS_SHOWN = 20;

/** Says what the audit log makes of a claim; how far that is known comes first. */
export function verdictInWords(record: StoredRecord, claim: Claim, verdict: Verdict): string {
  const claimed = claimInWords(claim);
  switch (verdict.kind) {
    case 'missing':
      return `claimed, not in the audit log: ${claimed}`;
    case 'confirmed':
      return `permitted by: ${whoseOf(verdict.request)}, confirmed by the audit log (${claimed}, ${evidenceOf(record, verdict.request)})`;
    case 'contradicted':
      return `contradicted: ${claimed} is in the audit log as that of ${requestOf(verdict.request)}; ${verdict.why.join(', ')}`;
    case 'undecided':
      return `claimed: ${claimed} is in the audit log as that of ${requestOf(verdict.request)}; ${verdict.why.join(', ')}`;
    case 'ambiguous': {
      const { requests } = verdict;
      const named = requests
        .map((request) => ({ request, against: contradictions(record, request) }))
        .toSorted((one, other) => one.against.length - other.against.length)
        .slice(0, REQUESTS_SHOWN)
        .map(
          ({ request, against }) =>
            `${requestOf(request)}${against.length > 0 ? ` (${against.join(', ')})` : ''}`,
        );
      const more = requests.length - named.length;
      return [
        `ambiguous: ${claimed}: ${requests.length} requests in the audit log ${claim.rest === undefined ? 'have this id' : 'may have put it there'}: `,
        named.join('; '),
        more > 0 ? `; and ${more} more` : '',
      ].join('');
    }
  }
}

function claimInWords({ id, variable, rest }: Claim): string {
  const where = rest === undefined ? '' : ' of the command line';
  const source = variable === undefined ? '' : ` in ${shown(variable)}${where}`;
  return `exec request ${shown(id)}${source}`;
}

function evidenceOf({ timestamp = 0n }: StoredRecord, { container, received }: ExecRequest) {
  const apart = (timestamp - received) / 1_000_000n;
  const time = apart < 0n ? `${-apart} ms after` : `${apart} ms before`;
  return [
    'same pod',
    container === undefined ? 'container not named' : 'same container',
    `received ${time}`,
  ].join(', ');
}

/** The user of a request with its target and its time. */
function requestOf(request: ExecRequest): string {
  const { namespace, pod, container, received } = request;
  const target = [namespace, pod, container].filter((name) => name !== undefined).map(shown);
  const time = rfc3339Of(received)?.replace(/\d{6}Z$/, 'Z') ?? `${received} ns`;
  return `${whoseOf(request)} to ${target.join('/')} at ${time}`;
}

/** The user of a request, and from where it came. */
function whoseOf({ username, impersonated, from }: ExecRequest): string {
  return [
    username === undefined ? 'an unnamed user' : `user ${shown(username)}`,
    impersonated === undefined ? '' : ` as ${shown(impersonated)}`,
    from === '' ? '' : ` from ${from.split(', ').map(shown).join(', ')}`,
  ].join('');
}

/** A text that somebody chose: a space in it is quoted, so that no name reads like two. */
function shown(text: string): string {
  return word(shortened(text, SHOWN_MAX));
}
