import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { readAuditConfig } from '../../../../forensics/audit/config.ts';
import { auditOf } from '../../../../forensics/commands/audit.ts';
import { ForensicsError } from '../../../../forensics/errors.ts';
import { plain } from '../../../forensics/craft.ts';
import { Folder, opened } from '../../../support/forensics.ts';

const folder = new Folder();
after(() => folder.close());
let count = 0;

/** Returns code, severity and id of each finding in these lines, under a configuration. */
async function findings(config: string, lines: readonly string[]): Promise<string[]> {
  count += 1;
  const file = folder.write(`${count}.yaml`, config);
  const journal = folder.write(`${count}.jsonl`, `${lines.join('\n')}\n`);
  const { findings: found } = await opened([journal], (journals) =>
    auditOf(journals, readAuditConfig(file)),
  );
  return found.map(({ code, severity, id }) => `${severity} ${code} ${id}`);
}

/** As the reference's example of a configuration, which says what holds without one. */
const EXAMPLE = `version: v0.5.1
root_event_prefix: "root_event:"
secret:
  classifications: ["SECRET"]
  path_prefixes:
    - "/secrets/"
  extensions:
    - ".key"
    - ".pem"
net_out:
  actions: ["connect", "send"]
  external_only: true
rules:
  - id: R1
    enabled: true
  - id: R3
`;

const R1 = 'CML-AUDIT-R1-MISSING_PARENT';
const R2 = 'CML-AUDIT-R2-GAP_NOT_MARKED';
const R3 = 'CML-AUDIT-R3-SECRET_NET_MISSING_CHAIN';
const R4 = 'CML-AUDIT-R4-AMBIGUOUS_ROOT';

const opens = (object: unknown) => plain('a', { action: 'open', object });
const connect = plain('b', { action: 'connect', object: '192.0.2.1:443' });
const orphan = plain('c', { permitted_by: 'x', parent_cause: 'missing' });
const unmarked = plain('d', { permitted_by: 'somebody' });
const almost = plain('e', { permitted_by: 'root_event' });
const child = (id: string, parent: string, action: string) =>
  plain(id, { action, permitted_by: 'parent', parent_cause: parent });

const CASES: readonly [what: string, config: string, lines: string[], found: string[]][] = [
  ['nothing', '', [opens('/secrets/x'), connect], [`FAIL ${R3} b`]],
  [
    "the reference's example",
    EXAMPLE,
    [opens('/x.pem'), connect, orphan, unmarked, almost],
    [`FAIL ${R3} b`, `FAIL ${R1} c`, `WARN ${R2} d`, `WARN ${R4} e`],
  ],
  [
    'switched off rules',
    'rules: [{id: R1, enabled: false}, {id: R3, enabled: false}, {id: R4, enabled: false}]',
    [opens('/x.pem'), connect, orphan, unmarked, almost],
    [`WARN ${R2} d`],
  ],
  [
    'a class',
    'secret: {classifications: [PII]}',
    [opens({ classification: 'PII' }), connect],
    [`FAIL ${R3} b`],
  ],
  ['no class', 'secret: {classifications: []}', [opens({ classification: 'SECRET' }), connect], []],
  ['a path', "secret: {path_prefixes: ['/it''s/']}", [opens("/it's/x"), connect], [`FAIL ${R3} b`]],
  ['another path', 'secret: {path_prefixes: [/vault/]}', [opens('/secrets/x'), connect], []],
  [
    'an extension',
    'secret: {extensions: [.jks]}',
    [opens({ path: '/a.jks' }), connect],
    [`FAIL ${R3} b`],
  ],
  ['no network access', 'net_out: {actions: [send]}', [opens('/a.key'), connect], []],
  [
    'network accesses that are execs',
    'net_out: {actions: [exec]}',
    [opens('/a.key'), plain('b')],
    [`FAIL ${R3} b`],
  ],
  [
    'a root prefix',
    'root_event_prefix: "boot::"',
    [plain('a', { permitted_by: 'boot::1' }), plain('b', { permitted_by: 'boot:' }), plain('c')],
    [`WARN ${R4} b`, `WARN ${R2} c`],
  ],
  [
    'a rule about the class of a cause',
    'custom_rules: [{id: R5, trigger_class: net_out, require_ancestor_class: EXEC}]',
    [plain('a'), child('b', 'a', 'connect'), plain('c', { action: 'send' })],
    ['FAIL CML-AUDIT-R5 c'],
  ],
  [
    'a rule about what permitted a cause, with a code and a severity',
    'custom_rules: [{id: R5, trigger_class: WRITE, severity: warn, code: MINE, require_ancestor_permitted_by_prefix: "root_event:login"}]',
    [
      plain('a', { permitted_by: 'root_event:login' }),
      child('b', 'a', 'exec'),
      child('c', 'b', 'write'),
      plain('d'),
      child('e', 'd', 'write'),
    ],
    ['WARN MINE e'],
  ],
  [
    'a rule that no two causes meet together',
    'custom_rules: [{id: R5, trigger_class: WRITE, require_ancestor_class: READ, require_ancestor_permitted_by_prefix: "root_event:"}]',
    [plain('a'), child('b', 'a', 'read'), child('c', 'b', 'write')],
    ['FAIL CML-AUDIT-R5 c'],
  ],
  [
    'a rule that the record itself would meet',
    'custom_rules: [{id: R5, trigger_class: EXEC, require_ancestor_class: EXEC}]',
    [plain('a'), child('b', 'a', 'exec')],
    ['FAIL CML-AUDIT-R5 a'],
  ],
  [
    'a rule that is switched off',
    'rules: [{id: R5, enabled: false}]\ncustom_rules: [{id: R5, trigger_class: EXEC, require_ancestor_class: READ}]',
    [plain('a')],
    [],
  ],
];

for (const [what, config, lines, found] of CASES)
  test(`a configuration with ${what}`, async () => {
    assert.deepEqual(await findings(config, lines), found);
  });

const REFUSED: readonly [config: string, why: RegExp][] = [
  ['- a', /the configuration must be a map/],
  ['secrets: {}', /the configuration has the unknown key secrets; known are version, /],
  ['secret: {path: [/x]}', /secret has the unknown key path/],
  ['secret: {extensions: .key}', /extensions must be a list/],
  ['secret: {extensions: [1]}', /an entry of extensions must be a text/],
  ['root_event_prefix: ""', /root_event_prefix must be a text/],
  ['rules: [{id: R7}]', /there is no rule R7; there are R1, R2, R3, R4/],
  ['rules: [{id: R1, enabled: "no"}]', /enabled must be true or false/],
  ['custom_rules: [{id: R5}]', /trigger_class must be a text/],
  ['custom_rules: [{id: R5, trigger_class: PRIV}]', /no action has the class PRIV/],
  ['custom_rules: [{id: R5, trigger_class: EXEC, severity: bad}]', /FAIL, WARN or OK/],
  ['custom_rules: [{id: R5, trigger_class: EXEC, when: now}]', /unknown key when/],
  ['experimental: {}', /unknown key experimental/],
  ['a: [', /yaml: /],
];

for (const [config, why] of REFUSED)
  test(`a configuration is refused: ${config}`, () => {
    const file = folder.write('refused.yaml', config);
    const isRefused = (error: unknown) =>
      error instanceof ForensicsError && error.exitCode === 64 && why.test(error.message);
    assert.throws(() => readAuditConfig(file), isRefused);
  });

test('a configuration that is not there is refused', () => {
  assert.throws(() => readAuditConfig('/no/such/file.yaml'), /no such file/);
});
