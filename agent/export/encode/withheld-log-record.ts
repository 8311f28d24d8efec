import { type Attributes, SeverityNumber } from '@opentelemetry/api';
import { type Resource, resourceFromAttributes } from '@opentelemetry/resources';
import type { ReadableLogRecord } from '@opentelemetry/sdk-logs';
import { CORE, OTLP_KEYS } from '../../../record/fields/core.ts';
import { WITHHELD } from '../../../record/fields/journal.ts';
import { KEYS } from '../../../record/fields.ts';
import { withheldId } from '../../../record/ids.ts';
import { json } from '../../../record/line/json-text.ts';
import { LAYOUT } from '../../../record/line/layout.ts';
import type { Withheld } from '../../../record/types.ts';
import { bodyOf } from './body.ts';
import type { Scope } from './scope.ts';

const ACTION = 'journal.withheld';
const PERMITTED_BY = `root_event:${ACTION}`;

/** The last of the execs that a record is about. */
interface LastExec {
  readonly bootId: string;
  /** Unix nanoseconds, decimal */
  readonly timestamp: string;
  readonly bootTime: string;
  readonly resource: Readonly<Record<string, unknown>>;
}

/**
 * Says which execs rules kept back from the export. It follows from their lines alone, so that it is
 * the same whenever the same lines are read again. It stands in no journal.
 */
export class WithheldLogRecord implements ReadableLogRecord {
  readonly hrTime: [seconds: number, nanos: number];
  readonly severityNumber = SeverityNumber.INFO;
  readonly eventName = `vcml.${ACTION}`;
  readonly body: string;
  readonly resource: Resource;
  readonly instrumentationScope: Scope;
  readonly attributes: Attributes;
  readonly droppedAttributesCount = 0;
  /** The record in the form of a journal's line, for the dead letters. */
  readonly line: string;

  constructor(withheld: Withheld, last: LastExec, scope: Scope) {
    const id = withheldId(last.bootId, withheld);
    const attributes: Attributes = {
      [KEYS.bootId]: last.bootId,
      [KEYS.bootTime]: last.bootTime,
      [KEYS.hookId]: withheld.hookId,
      ...Object.fromEntries(
        Object.values(WITHHELD).map(({ key, value }) => [key, value(withheld)]),
      ),
    };
    const resource = hostPart(last.resource);
    this.hrTime = [Number(last.timestamp.slice(0, -9)), Number(last.timestamp.slice(-9))];
    this.body = bodyOf({ action: ACTION, object: '', actor: { pid: 0 } }, attributes);
    this.resource = resourceFromAttributes(resource, { schemaUrl: scope.schemaUrl });
    this.instrumentationScope = scope;
    this.attributes = {
      [OTLP_KEYS.id]: id,
      [OTLP_KEYS.permittedBy]: PERMITTED_BY,
      ...attributes,
    };
    this.line =
      `${LAYOUT.id}${json(id)}${LAYOUT.timestamp}${last.timestamp},"actor":{},` +
      `"${CORE.action.key}":"${ACTION}"${LAYOUT.permittedBy}"${PERMITTED_BY}"` +
      `${LAYOUT.parentCause}null${LAYOUT.resource}${JSON.stringify(resource)}` +
      `,"attributes":${JSON.stringify(attributes)}}`;
  }

  get hrTimeObserved(): [seconds: number, nanos: number] {
    return this.hrTime;
  }
}

/** What a container's resource has beside the host's attributes; its service is not the host's. */
const OF_CONTAINER = /^(k8s\.|container\.|vcml\.container\.)/;
const OF_HOST: readonly string[] = [KEYS.nodeName, KEYS.clusterName];

/** Returns the host's attributes in the resource of a record. */
function hostPart(resource: Readonly<Record<string, unknown>>): Attributes {
  const isHost = resource[KEYS.containerId] === undefined;
  const members = Object.entries(resource).filter(
    ([key]) =>
      OF_HOST.includes(key) || (!OF_CONTAINER.test(key) && (isHost || key !== KEYS.serviceName)),
  );
  return Object.fromEntries(members) as Attributes;
}
