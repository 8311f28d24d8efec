import { written } from './kinds.ts';
import { schema } from './schema.ts';

/** One option with its three names, and what --help and the docs say about it. */
export interface Option {
  /** in the file, such as `journalDir` */
  readonly key: string;
  /** such as `--journal-dir` */
  readonly flag: string;
  /** such as `VCML_AGENT_JOURNAL_DIR` */
  readonly variable: string;
  /** OpenTelemetry's variables for it, in order of precedence */
  readonly otelVariables: readonly string[];
  /** unit of OpenTelemetry's variables, such as `ms`: their values are plain numbers */
  readonly otelUnit: string;
  readonly description: string;
  /** the accepted values */
  readonly values: string;
  /** as a person writes it */
  readonly default: string;
  /** Whether its values are numbers, with a unit or without; all others are texts. */
  readonly isQuantity: boolean;
  /** Formats a value as a person writes it. */
  readonly written: (value: string | number | readonly string[]) => string;
}

/** All options, in the schema's order. */
export const OPTIONS: readonly Option[] = Object.entries(schema.shape).map(([key, field]) => {
  const meta = field.meta() ?? {};
  const otel = meta.otel === undefined ? [] : [`LOGS_${meta.otel}`, `${meta.otel}`];
  const words = key.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  return {
    key,
    flag: `--${words}`,
    variable: `VCML_AGENT_${words.replaceAll('-', '_').toUpperCase()}`,
    otelVariables: otel.map((name) => `OTEL_EXPORTER_OTLP_${name}`),
    otelUnit: String(meta.otelUnit ?? ''),
    description: meta.description ?? '',
    values: String(meta.values ?? field.unwrap().meta()?.values),
    default: String(meta.default ?? field.def.defaultValue),
    isQuantity: field.unwrap().meta()?.of !== undefined,
    written: (value) => written(value, field.unwrap().meta()?.of),
  };
});
