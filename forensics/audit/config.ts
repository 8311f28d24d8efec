import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { ForensicsError } from '../errors.ts';
import type { Severity } from './codes.ts';

/** What the rules of vCML's auditor go by; docs/forensics.md describes the file. */
export interface AuditConfig {
  /** what `permitted_by` of a root begins with */
  readonly rootPrefix: string;
  readonly secret: {
    readonly classifications: readonly string[];
    readonly pathPrefixes: readonly string[];
    readonly extensions: readonly string[];
  };
  /** the actions that access the network */
  readonly netActions: readonly string[];
  /** the rules that are switched off, such as `R2` */
  readonly disabled: ReadonlySet<string>;
  readonly custom: readonly CustomRule[];
}

/** A rule that every record of a class has such a record among its causes. */
export interface CustomRule {
  readonly id: string;
  readonly description: string;
  readonly code: string;
  readonly severity: Severity;
  /** the class of the records that it judges */
  readonly trigger: ActionClass;
  /** what one and the same cause must have */
  readonly causeClass: ActionClass | undefined;
  readonly causePrefix: string | undefined;
}

/** The classes of actions. A record's tag (`ctag`), which could give it another one, is not read. */
export const CLASSES = {
  READ: ['open', 'read'],
  WRITE: ['write'],
  EXEC: ['exec'],
  NET_OUT: ['connect', 'send'],
} as const;
export type ActionClass = keyof typeof CLASSES;

/** What holds without a file. */
export const DEFAULT_CONFIG: AuditConfig = {
  rootPrefix: 'root_event:',
  secret: {
    classifications: ['SECRET'],
    pathPrefixes: ['/secrets/'],
    extensions: ['.key', '.pem'],
  },
  netActions: ['connect', 'send'],
  disabled: new Set(),
  custom: [],
};

/** The reference's severities, by their names in a file. */
const SEVERITIES: Readonly<Record<string, Severity>> = { FAIL: 'FAIL', WARN: 'WARN', OK: 'NOTE' };
const RULES = ['R1', 'R2', 'R3', 'R4'];

/** Reads a configuration of the reference; a key that it does not know is an error. */
export function readAuditConfig(file: string): AuditConfig {
  let content: unknown;
  try {
    content = parse(readFileSync(file, 'utf8'), { logLevel: 'error' });
  } catch (error) {
    const why = error instanceof Error ? error.message.split('\n')[0] : String(error);
    throw new ForensicsError('usage', `${file}: ${why}`);
  }
  try {
    return configOf(content ?? {});
  } catch (error) {
    if (error instanceof Problem) throw new ForensicsError('usage', `${file}: ${error.message}`);
    throw error;
  }
}

class Problem extends Error {}

function configOf(content: unknown): AuditConfig {
  const known = ['version', 'root_event_prefix', 'secret', 'net_out', 'rules', 'custom_rules'];
  const file = mapOf(content, 'the configuration', known);
  const secretKeys = ['classifications', 'path_prefixes', 'extensions'];
  const secret = mapOf(file.secret ?? {}, 'secret', secretKeys);
  const netOut = mapOf(file.net_out ?? {}, 'net_out', ['actions', 'external_only']);
  const { secret: secrets, ...byDefault } = DEFAULT_CONFIG;
  const custom = listOf(file.custom_rules ?? [], 'custom_rules').map(customRule);
  return {
    rootPrefix: textOf(file.root_event_prefix ?? byDefault.rootPrefix, 'root_event_prefix'),
    secret: {
      classifications: texts(secret.classifications ?? secrets.classifications, 'classifications'),
      pathPrefixes: texts(secret.path_prefixes ?? secrets.pathPrefixes, 'path_prefixes'),
      extensions: texts(secret.extensions ?? secrets.extensions, 'extensions'),
    },
    netActions: texts(netOut.actions ?? byDefault.netActions, 'actions'),
    disabled: disabledIn(file.rules ?? [], [...RULES, ...custom.map(({ id }) => id)]),
    custom,
  };
}

function disabledIn(rules: unknown, known: readonly string[]): ReadonlySet<string> {
  const disabled = new Set<string>();
  for (const one of listOf(rules, 'rules')) {
    const { id, enabled = true } = mapOf(one, 'an entry of rules', ['id', 'enabled']);
    const name = textOf(id, 'id');
    if (!known.includes(name))
      throw new Problem(`there is no rule ${name}; there are ${known.join(', ')}`);
    if (typeof enabled !== 'boolean') throw new Problem('enabled must be true or false');
    if (!enabled) disabled.add(name);
  }
  return disabled;
}

function customRule(content: unknown): CustomRule {
  const rule = mapOf(content, 'an entry of custom_rules', [
    'id',
    'description',
    'code',
    'severity',
    'trigger_class',
    'require_ancestor_class',
    'require_ancestor_permitted_by_prefix',
  ]);
  const { require_ancestor_class: causeClass, require_ancestor_permitted_by_prefix: prefix } = rule;
  const id = textOf(rule.id, 'id');
  const severity = SEVERITIES[textOf(rule.severity ?? 'FAIL', 'severity').toUpperCase()];
  if (severity === undefined) throw new Problem('severity must be FAIL, WARN or OK');
  return {
    id,
    description: textOf(rule.description ?? id, 'description'),
    code: textOf(rule.code ?? `CML-AUDIT-${id}`, 'code'),
    severity,
    trigger: classOf(rule.trigger_class, 'trigger_class'),
    causeClass:
      causeClass === undefined ? undefined : classOf(causeClass, 'require_ancestor_class'),
    causePrefix:
      prefix === undefined ? undefined : textOf(prefix, 'require_ancestor_permitted_by_prefix'),
  };
}

function classOf(value: unknown, key: string): ActionClass {
  const name = textOf(value, key).toUpperCase();
  const found = (Object.keys(CLASSES) as ActionClass[]).find((one) => one === name);
  if (found !== undefined) return found;
  const known = Object.keys(CLASSES).join(', ');
  throw new Problem(`${key} must be ${known}: no action has the class ${name}`);
}

function mapOf(value: unknown, what: string, keys: readonly string[]): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new Problem(`${what} must be a map`);
  const unknown = Object.keys(value).find((key) => !keys.includes(key));
  if (unknown !== undefined)
    throw new Problem(`${what} has the unknown key ${unknown}; known are ${keys.join(', ')}`);
  return value as Record<string, unknown>;
}

function listOf(value: unknown, what: string): readonly unknown[] {
  if (!Array.isArray(value)) throw new Problem(`${what} must be a list`);
  return value;
}

function texts(value: unknown, what: string): readonly string[] {
  return listOf(value, what).map((one) => textOf(one, `an entry of ${what}`));
}

function textOf(value: unknown, what: string): string {
  if (typeof value !== 'string' || value === '') throw new Problem(`${what} must be a text`);
  return value;
}
