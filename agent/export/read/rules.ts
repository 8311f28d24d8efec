import { KEYS } from '../../../record/fields.ts';
import { AgentError } from '../../errors.ts';

/** The parts of a record that rules look at. */
export interface Asked {
  readonly resource: Readonly<Record<string, unknown>>;
  readonly attributes: Readonly<Record<string, unknown>>;
}

/**
 * `allow` or `deny`, with the conditions that a record must meet; without conditions it matches
 * every record.
 */
export interface Rule {
  readonly text: string;
  readonly allows: boolean;
  readonly conditions: readonly Condition[];
  matches(record: Asked): boolean;
}

interface Condition {
  readonly name: string;
  readonly value: string;
}

/** The subjects of conditions: where their values come from, and which values there are. */
const SUBJECTS: Readonly<
  Record<string, { read(record: Asked): unknown; values?: readonly string[] }>
> = {
  namespace: { read: ({ resource }) => resource[KEYS.namespace] },
  container: { read: ({ resource }) => resource[KEYS.podContainerName] },
  executable: { read: ({ attributes }) => attributes[KEYS.executable] },
  entry: {
    read: ({ attributes }) => attributes[KEYS.entry] ?? 'none',
    values: ['start', 'exec', 'none'],
  },
  origin: { read: originOf, values: ['host', 'container'] },
};

/** The conditions on what the author of a pod writes: programs into an image, names into the pod. */
const CHOSEN = ['container', 'executable'];
/** The inode of the first user namespace of every kernel (PROC_USER_INIT_INO). */
const HOST_USER_NAMESPACE = '4026531837';

/**
 * Reads rules such as `deny namespace=kube-* entry=none`; throws EXPORT_RULES_INVALID with every
 * problem.
 */
export function parseRules(texts: readonly string[]): Rule[] {
  const problems: string[] = [];
  const rules = texts.map((text) => parseRule(text, problems));
  if (problems.length > 0)
    throw new AgentError('EXPORT_RULES_INVALID', { problems: problems.join('; ') });
  return rules;
}

function parseRule(text: string, problems: string[]): Rule {
  const [verb, ...conditions] = text.trim().split(/\s+/);
  if (verb !== 'allow' && verb !== 'deny')
    problems.push(`the rule "${text}" must begin with allow or deny`);
  const allows = verb === 'allow';
  const parsed = conditions.map((condition) => {
    const at = condition.indexOf('=');
    return { name: condition.slice(0, Math.max(0, at)), value: condition.slice(at + 1), condition };
  });
  const tests = parsed.map(({ name, value, condition }) => {
    const key = Object.hasOwn(SUBJECTS, name) ? SUBJECTS[name] : undefined;
    if (key === undefined || value === '')
      problems.push(
        `in the rule "${text}": "${condition}" must be ${Object.keys(SUBJECTS).join('=…, ')}=…`,
      );
    else if (key.values !== undefined && !key.values.includes(value))
      problems.push(`in the rule "${text}": ${name} must be ${key.values.join(' or ')}`);
    const pattern = globOf(value);
    return (record: Asked) => {
      const found = key?.read(record);
      if (found === UNKNOWN) return allows;
      return typeof found === 'string' && pattern.test(found);
    };
  });
  return {
    text: text.trim(),
    allows,
    conditions: parsed,
    matches: (record) => tests.every((test) => test(record)),
  };
}

/** The origin is not known for sure. A rule that allows matches then, and one that denies does not. */
const UNKNOWN = Symbol('unknown');

/**
 * Returns where a process belongs. Without a container it is the host's only if its cgroup is known,
 * and if it has no user namespace of its own, in which every user can put a program at any path.
 */
function originOf({ resource, attributes }: Asked): string | typeof UNKNOWN {
  if (resource[KEYS.containerId] !== undefined) return 'container';
  const isHost =
    attributes[KEYS.cgroup] !== undefined && attributes[KEYS.userNamespace] === HOST_USER_NAMESPACE;
  return isHost ? 'host' : UNKNOWN;
}

/**
 * Returns the rules that keep back what any pod can look like: by the path of a program or the name
 * of a container, and neither on the host alone nor in certain namespaces.
 */
export function evadableRules(rules: readonly Rule[]): Rule[] {
  // What follows a rule for all containers concerns the host alone.
  const settled = rules.findIndex(({ conditions }) =>
    conditions.every(({ name, value }) => name === 'origin' && value === 'container'),
  );
  return rules.slice(0, settled < 0 ? rules.length : settled).filter(isEvadable);
}

function isEvadable({ allows, conditions }: Rule): boolean {
  const isChosen = conditions.some(({ name }) => CHOSEN.includes(name));
  const isBound = conditions.some(
    ({ name, value }) =>
      (name === 'origin' && value === 'host') || (name === 'namespace' && !/^\*+$/.test(value)),
  );
  return !allows && isChosen && !isBound;
}

/**
 * Compiles a pattern: `*` matches anything but a slash, `**` anything, `?` one character but a
 * slash.
 */
function globOf(glob: string): RegExp {
  const source = glob.replaceAll(/\*\*|[*?]|[\\^$.+()[\]{}|]/g, (part) => {
    if (part === '**') return '.*';
    if (part === '*') return '[^/]*';
    return part === '?' ? '[^/]' : `\\${part}`;
  });
  return new RegExp(`^${source}$`, 'su');
}
