import { OTLP_KEYS } from '../../../record/fields/core.ts';
import type { Column } from './columns.ts';
import { literal } from './literal.ts';

const PERMITTED_BY = `LogAttributes[${literal(OTLP_KEYS.permittedBy)}]`;
const WORDS = 'LowCardinality(String)';
const WORDS_BY_KEY = 'Map(LowCardinality(String), String)';

/** The columns that the Collector's exporter fills, as its own table has them. */
export const EXPORTER_COLUMNS: readonly Column[] = [
  column('Timestamp', 'DateTime64(9)'),
  column('TraceId', 'String'),
  column('SpanId', 'String'),
  column('TraceFlags', 'UInt8'),
  column('SeverityText', WORDS),
  column('SeverityNumber', 'UInt8'),
  column('ServiceName', WORDS),
  column('Body', 'String'),
  column('ResourceSchemaUrl', WORDS),
  column('ResourceAttributes', WORDS_BY_KEY),
  column('ScopeSchemaUrl', WORDS),
  column('ScopeName', WORDS),
  column('ScopeVersion', WORDS),
  column('ScopeAttributes', WORDS_BY_KEY),
  column('LogAttributes', WORDS_BY_KEY),
  {
    ...column('EventName', WORDS),
    // An exporter that starts without the server does not see this column and omits it.
    otherwise: `if(startsWith(${PERMITTED_BY}, 'root_event:'), concat('vcml.', substring(${PERMITTED_BY}, 12)), 'vcml.exec')`,
  },
];

function column(name: string, type: string): Column {
  return { name, type, codec: 'NONE', value: name };
}
