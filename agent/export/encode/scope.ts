/**
 * The instrumentation scope of all log records, with the schema of their attributes and resources.
 */
export interface Scope {
  readonly name: string;
  readonly version: string;
  readonly schemaUrl: string;
}

/** The version of OpenTelemetry's semantic conventions that attributes and resources follow. */
const SCHEMA_URL = 'https://opentelemetry.io/schemas/1.45.0';

/** Returns the scope of this version of the agent. */
export function createScope(version: string): Scope {
  return { name: 'vcml-agent', version, schemaUrl: SCHEMA_URL };
}
