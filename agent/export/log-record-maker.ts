import type { AnyValue, Attributes, HrTime } from '@opentelemetry/api';
import { type Resource, resourceFromAttributes } from '@opentelemetry/resources';
import { bodyOf } from './body.ts';
import type { LogRecord, Recurring } from './log-record.ts';
import { RecurringReader } from './recurring.ts';

/** opentelemetry/proto/logs/v1: SEVERITY_NUMBER_INFO, SEVERITY_NUMBER_WARN */
const INFO = 9;
const WARN = 13;
const SCHEMA_URL = 'https://opentelemetry.io/schemas/1.45.0';
/** Containers that come and go must not fill the memory. */
const RESOURCES_MAX = 4096;

// Nothing else in a line looks like these: inside a JSON string a quotation mark has a backslash before it.
const TIMESTAMP = ',"timestamp":';
const RESOURCE = ',"resource":';
const ATTRIBUTES = ',"attributes":';
/** From here on an exec's attributes are those of what was executed, and where. */
const RECURRING = ',"process.executable.path":';

/** The core fields of a line, as far as they stand before its resource. */
interface Core {
  readonly id: string;
  readonly actor: {
    readonly pid: number;
    readonly ppid: number;
    readonly uid: number;
    readonly gid: number;
    readonly comm: string;
  };
  readonly action: string;
  readonly object: string;
  readonly permitted_by: string;
  readonly parent_cause: string | null;
}

/**
 * Makes OTLP log records of journal lines, by the table in docs/export.md; throws a SyntaxError for
 * what is no line of ours. Equal resources and the scope are one object each: exporters group by identity.
 */
export function createLogRecordMaker(version: string): (line: string) => LogRecord {
  const instrumentationScope = { name: 'vcml-agent', version, schemaUrl: SCHEMA_URL };
  const resources = new Map<string, Resource>();
  const recurring = new RecurringReader();
  const none: Recurring = { attributes: {} };

  function resourceOf(text: string): Resource {
    const known = resources.get(text);
    if (known !== undefined) return known;
    if (resources.size >= RESOURCES_MAX) resources.clear();
    const resource = resourceFromAttributes(JSON.parse(text), { schemaUrl: SCHEMA_URL });
    resources.set(text, resource);
    return resource;
  }

  return (line) => {
    const resourceAt = line.indexOf(RESOURCE);
    const attributesAt = line.indexOf(ATTRIBUTES, resourceAt);
    if (resourceAt < 0 || attributesAt < 0 || !line.endsWith('}}'))
      throw new SyntaxError('not a line of the journal');
    const core: Core = JSON.parse(`${line.slice(0, resourceAt)}}`);
    const recurringAt = line.indexOf(RECURRING, attributesAt);
    const from = attributesAt + ATTRIBUTES.length;
    const attributes: Attributes = JSON.parse(
      recurringAt < 0 ? line.slice(from, -1) : `${line.slice(from, recurringAt)}}`,
    );
    const time = timestampOf(line);
    const body = bodyOf(core, attributes);
    addCore(attributes, core);
    return {
      hrTime: time,
      hrTimeObserved: time,
      severityNumber: core.action === 'journal.loss' ? WARN : INFO,
      eventName: `vcml.${core.action}`,
      body,
      resource: resourceOf(line.slice(resourceAt + RESOURCE.length, attributesAt)),
      instrumentationScope,
      attributes,
      recurring: recurringAt < 0 ? none : recurring.read(line.slice(recurringAt + 1, -2)),
      droppedAttributesCount: 0,
    };
  };
}

function addCore(attributes: Record<string, AnyValue>, core: Core): void {
  const { actor } = core;
  attributes['log.record.uid'] = core.id;
  attributes['process.pid'] = actor.pid;
  attributes['process.parent_pid'] = actor.ppid;
  attributes['process.real_user.id'] = actor.uid;
  attributes['vcml.process.real_group.id'] = actor.gid;
  attributes['vcml.process.comm'] = actor.comm;
  attributes['vcml.object'] = core.object;
  attributes['vcml.permitted_by'] = core.permitted_by;
  if (core.parent_cause !== null) attributes['vcml.parent_cause'] = core.parent_cause;
}

/** Never through one double: 19 digits are more than it holds. */
function timestampOf(line: string): HrTime {
  const from = line.indexOf(TIMESTAMP) + TIMESTAMP.length;
  const to = line.indexOf(',', from);
  if (from < TIMESTAMP.length || to - from < 10)
    throw new SyntaxError('a line without a timestamp');
  return [Number(line.slice(from, to - 9)), Number(line.slice(to - 9, to))];
}
