/** The name of a segment of a journal. */
export const SEGMENT = /^\d{20}\.jsonl(\.zst)?$/;

/** The end of a name that says that a file has records: lines of JSON, or OTLP in protobuf. */
export const LINES = /\.(jsonl|ndjson|json|binpb)(\.zst|\.gz)?$/;

/** The names of the files that the agent keeps beside its segments, also while it writes them. */
export const OF_AGENT =
  /^(\d{20}\.(index(\.tmp)?|jsonl\.zst\.tmp)|((state|checkpoint|deletions|ancestors|run-options|export-cursor)\.json|deletions\.json\.reserve|containers\.jsonl|dead-letters(\.1)?\.jsonl|lock)(\.tmp)?)$/;

/** The end of the name of OTLP in protobuf, which the Collector's exporters give. */
export const PROTOBUF = /\.binpb(\.zst|\.gz)?$/;

const UNKNOWN_SHOWN = 3;

/** Says in one problem which files are not read, because their names do not say that they have records. */
export function unknownNames(
  [first, ...others]: readonly string[],
  advice: string,
): { readonly path: string; readonly why: string }[] {
  if (first === undefined) return [];
  const shown = others.slice(0, UNKNOWN_SHOWN - 1);
  const more = others.length - shown.length;
  const also = [...shown, ...(more > 0 ? [`${more} more`] : [])].join(', ');
  const why = `its name is not that of a segment, of JSON lines or of OTLP (.jsonl, .ndjson, .json, .binpb, also with .zst or .gz)${also === '' ? '' : `; neither are ${also}`}. ${advice}`;
  return [{ path: first, why }];
}
