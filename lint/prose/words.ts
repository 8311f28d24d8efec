/** A pattern to avoid, and what to write instead. */
type Avoided = readonly [pattern: string, advice: string];

/** The only right spellings of names in documents. */
export const NAMES: readonly (string | Avoided)[] = [
  'BTF',
  'ClickHouse',
  'containerd',
  'CRI-O',
  'DaemonSet',
  'Debian',
  'DuckDB',
  'eBPF',
  'gRPC',
  'Grafana',
  'JSON',
  'Kubernetes',
  'Linux',
  'NetworkPolicy',
  'OpenShift',
  'OpenTelemetry',
  'OTLP',
  'PriorityClass',
  'Prometheus',
  'ServiceAccount',
  'TypeScript',
  'vCML',
  ['(?<![/\\w-])bpf(?![/\\w])', 'BPF'],
];

/** What documents, comments and titles of tests avoid. */
export const AVOIDED: readonly Avoided[] = [
  ['told', 'said, named or reported'],
  ['tell(s)? of', 'report'],
  ['goes', 'a verb that says what happens'],
  ['(go|going) on', 'continue'],
  ['(went|gone) (away|first)', 'was removed'],
  ['of which', 'whose, or a second sentence'],
  ['for want of', 'because there is no'],
  ['is had', 'is read or is known'],
  ['be had', 'be read or be known'],
  ['in vain', 'without a result'],
  ['pass(ed|es) over', 'skips or is skipped'],
  ['anew', 'again'],
  ['(is|are) said', 'is stated or is reported'],
  ['by turns', 'alternately'],
  ['(taken|takes|took) away', 'removed'],
  ['of late', 'recently'],
  ['program image', 'invocation'],
  ['(run|runs) of numbers', 'range'],
];
