/** Who made the log records: the instrumentation scope of all of them, with the schema of their attributes. */
export interface Scope {
  readonly name: string;
  readonly version: string;
  readonly schemaUrl: string;
}

/** The version of OpenTelemetry's semantic conventions that attributes follow, those of the resource too. */
const SCHEMA_URL = 'https://opentelemetry.io/schemas/1.45.0';

/** The scope of this version of the agent. */
export function createScope(version: string): Scope {
  return { name: 'vcml-agent', version, schemaUrl: SCHEMA_URL };
}
