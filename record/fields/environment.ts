import type { RecordedEnvironment } from '../types.ts';
import { type Attribute, WHEN_TRUE } from './field.ts';

const WITH_TRACE =
  'with `traceContext: environment`, where the environment has a valid `TRACEPARENT`';

/**
 * What an exec says of the environment that its program began with, where that is configured. The
 * configured variables follow, each as ENVIRONMENT_PREFIX and its name, in the order of the names.
 */
export const ENVIRONMENT = {
  traceId: {
    key: 'vcml.trace.trace_id',
    type: 'string',
    when: WITH_TRACE,
    about:
      'The trace that the caller claims this exec belongs to ([Trace context](#trace-context)).',
    value: ({ trace }) => trace?.traceId,
  },
  spanId: {
    key: 'vcml.trace.span_id',
    type: 'string',
    when: 'with `vcml.trace.trace_id`',
    about: 'The span of the caller, by the same claim.',
    value: ({ trace }) => trace?.spanId,
  },
  traceFlags: {
    key: 'vcml.trace.flags',
    type: 'integer',
    when: 'with `vcml.trace.trace_id`',
    about: 'The flags of the trace: 1 says that the caller may have recorded it.',
    value: ({ trace }) => trace?.flags,
  },
  environmentTruncated: {
    key: 'vcml.process.environment_truncated',
    type: 'flag',
    when: `${WHEN_TRUE}, with \`environment\` or \`traceContext\``,
    about:
      'Not all of the environment was searched, so that variables or a trace may be missing here.',
    value: ({ isTruncated }) => isTruncated,
  },
} as const satisfies Record<string, Attribute<RecordedEnvironment>>;

/** The prefix of the keys of configured variables. */
export const ENVIRONMENT_PREFIX = 'process.environment_variable.';
