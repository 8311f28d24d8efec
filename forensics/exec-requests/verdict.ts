import { KEYS } from '../../record/fields.ts';
import type { StoredRecord } from '../../record/read.ts';
import type { compareCommand } from './comparison.ts';
import type { ExecRequest } from './exec-request.ts';
import { windowOf } from './windows.ts';

/** The request that an entry says to come from: what its environment or its command line carried. */
export interface Claim {
  readonly id: string;
  /** the variable that carried the id */
  readonly variable: string | undefined;
  /** the arguments behind the variable, where it stood in the command line; undefined: in the environment */
  readonly rest?: readonly string[];
}

/** What the audit log says about a claim. */
export type Verdict =
  /** No request of the log has the id. */
  | { readonly kind: 'missing' }
  /** The request is for this container, was permitted, and came in time. */
  | { readonly kind: 'confirmed'; readonly request: ExecRequest }
  /** The request cannot be behind the record, for these reasons. */
  | {
      readonly kind: 'contradicted';
      readonly request: ExecRequest;
      readonly why: readonly string[];
    }
  /** The record or the log does not say enough. */
  | { readonly kind: 'undecided'; readonly request: ExecRequest; readonly why: readonly string[] }
  /** Several requests have the id, which a client may choose, or may have written it into a command. */
  | { readonly kind: 'ambiguous'; readonly requests: readonly ExecRequest[] };

/** Returns the request that an entry claims to come from; undefined: it claims none. */
export function claimOf(record: StoredRecord): Claim | undefined {
  const { attributes } = record;
  const id = attributes[KEYS.authorityId];
  const variable = attributes[KEYS.authoritySource];
  if (attributes[KEYS.authorityType] !== 'exec_request' || windowOf(record) === undefined)
    return undefined;
  if (typeof id !== 'string' || id === '') return undefined;
  return { id, variable: typeof variable === 'string' ? variable : undefined };
}

/**
 * Returns the claim in the command line of an entry. A webhook that cannot reach the environment puts
 * `env VARIABLE=ID` before the command that was asked for. Whoever asks can write the same.
 */
export function commandClaimOf(record: StoredRecord): Claim | undefined {
  if (windowOf(record) === undefined) return undefined;
  const [program = '', setting = '', ...rest] = argsOf(record);
  const [, variable, id] = SETTING.exec(setting) ?? [];
  if (!/^(.*\/)?env$/.test(program) || id === undefined || rest.length === 0) return undefined;
  return { id, variable, rest };
}

/** A variable with the UID of an admission request; see IS_SESSION. */
const SETTING = /^([A-Z_][A-Z0-9_]*)=([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/;

/** Returns the id of the request that a record may come from; undefined: it has none. */
export function claimedIdOf(record: StoredRecord): string | undefined {
  return (claimOf(record) ?? commandClaimOf(record))?.id;
}

/** Finds the requests of an audit log by their ids. */
export class RequestsById {
  readonly #byId = new Map<string, ExecRequest[]>();
  readonly #requests: readonly ExecRequest[];
  readonly #compare: typeof compareCommand;

  /** `compare` is passed, because few runs need the rules of redaction. */
  constructor(requests: readonly ExecRequest[], compare: typeof compareCommand) {
    this.#requests = requests;
    this.#compare = compare;
    for (const request of requests)
      for (const id of new Set(request.ids.map((one) => one.id))) {
        const known = this.#byId.get(id);
        if (known === undefined) this.#byId.set(id, [request]);
        else known.push(request);
      }
  }

  /**
   * Returns the request that a record claims to come from. A command line claims something only if the
   * log says that the API server let a webhook give this id to a request.
   */
  claimOf(record: StoredRecord): Claim | undefined {
    const claim = claimOf(record);
    if (claim !== undefined) return claim;
    const inCommand = commandClaimOf(record);
    return inCommand && this.#withIdOf(inCommand).length > 0 ? inCommand : undefined;
  }

  /** Judges the claim of a record. Ids are compared exactly, also in their case. */
  judge(record: StoredRecord, claim: Claim): Verdict {
    const requests = this.#withIdOf(claim);
    const [request] = requests;
    if (request === undefined) return { kind: 'missing' };
    if (requests.length > 1) return { kind: 'ambiguous', requests };
    const against = contradictions(record, request);
    if (claim.rest !== undefined && !this.#isSame(request, record, claim.rest))
      against.push('it asked for another command');
    if (against.length > 0) return { kind: 'contradicted', request, why: against };
    const writing = this.#writing(record, claim);
    if (writing.length > 0) return { kind: 'ambiguous', requests: [request, ...writing] };
    const why = unknowns(record, request);
    return why.length > 0 ? { kind: 'undecided', request, why } : { kind: 'confirmed', request };
  }

  #withIdOf({ id, variable, rest }: Claim): ExecRequest[] {
    return (this.#byId.get(id) ?? []).filter(({ ids }) =>
      ids.some(
        (one) =>
          one.id === id &&
          (one.variable === variable || (one.variable === undefined && rest === undefined)),
      ),
    );
  }

  /** Returns the requests that may have written the claim into their own command lines. */
  #writing(record: StoredRecord, { rest }: Claim): ExecRequest[] {
    if (rest === undefined) return [];
    return this.#requests.filter(
      (request) =>
        contradictions(record, request).length === 0 &&
        (request.command === undefined || this.#isSame(request, record, argsOf(record))),
    );
  }

  #isSame(request: ExecRequest, { attributes }: StoredRecord, args: readonly string[]): boolean {
    const isCut = attributes[KEYS.argsTruncated] === true;
    const executable = attributes[KEYS.executable];
    return this.#compare(request, {
      args,
      isCut,
      executable: typeof executable === 'string' ? executable : undefined,
    }).isSame;
  }
}

function argsOf({ attributes }: StoredRecord): readonly string[] {
  const args = attributes[KEYS.args];
  return Array.isArray(args) ? args.map(String) : [];
}

/** Returns the requests that a verdict is about. */
export function requestsOf(verdict: Verdict): readonly ExecRequest[] {
  if (verdict.kind === 'missing') return [];
  return verdict.kind === 'ambiguous' ? verdict.requests : [verdict.request];
}

/** Returns what in a request excludes that it is behind a record. */
export function contradictions(record: StoredRecord, request: ExecRequest): string[] {
  const { namespace, pod, container, received, isRefused } = request;
  const { resource, timestamp } = record;
  const isOther = (key: (typeof PLACE_KEYS)[number], requested: string) =>
    resource[key] !== undefined && resource[key] !== requested;
  const window = windowOf(record);
  const isEarly = window !== undefined && received < window.first;
  const isLate = window !== undefined && received > window.last;
  const apart = (from: bigint, to: bigint) => `${(to - from + 500_000_000n) / 1_000_000_000n} s`;
  return [
    ...(isRefused ? ['it was refused'] : []),
    ...(isOther(KEYS.namespace, namespace) || isOther(KEYS.podName, pod)
      ? ['it is for another pod']
      : []),
    ...(container !== undefined && isOther(KEYS.podContainerName, container)
      ? ['it is for another container']
      : []),
    ...(isEarly && timestamp !== undefined
      ? [`it was received ${apart(received, timestamp)} before`]
      : []),
    ...(isLate && timestamp !== undefined
      ? [`it was received ${apart(timestamp, received)} after`]
      : []),
  ];
}

const PLACE_KEYS = [KEYS.namespace, KEYS.podName, KEYS.podContainerName] as const;

/** Returns what is not known, and is needed to confirm a request. */
function unknowns({ resource }: StoredRecord, { container, isPermitted }: ExecRequest): string[] {
  const hasPod = resource[KEYS.namespace] !== undefined && resource[KEYS.podName] !== undefined;
  const hasContainer = container === undefined || resource[KEYS.podContainerName] !== undefined;
  return [
    ...(hasPod ? [] : ['the record does not name its pod']),
    ...(hasContainer ? [] : ['the record does not name its container']),
    ...(isPermitted ? [] : ['the log does not have the answer to it']),
  ];
}
