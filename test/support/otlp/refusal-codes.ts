/** The gRPC codes with which a receiver may mean a record, or may be in trouble itself. */
export const REFUSAL_CODES = [
  'UNKNOWN',
  'INVALID_ARGUMENT',
  'ALREADY_EXISTS',
  'FAILED_PRECONDITION',
  'INTERNAL',
  'RESOURCE_EXHAUSTED',
] as const;
