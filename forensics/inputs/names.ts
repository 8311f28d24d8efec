/** The name of a segment of a journal. */
export const SEGMENT = /^\d{20}\.jsonl(\.zst)?$/;

/** The end of a name that says that a file has records: lines of JSON, or OTLP in protobuf. */
export const LINES = /\.(jsonl|ndjson|json|binpb)(\.zst|\.gz)?$/;

/** The end of the name of OTLP in protobuf, which the Collector's exporters give. */
export const PROTOBUF = /\.binpb(\.zst|\.gz)?$/;
