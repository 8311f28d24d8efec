/**
 * Prints layout.ts: the offset of each field of the contract (bpf/events.h), read from the BTF of
 * the compiled BPF object. Usage: generate-layout.ts OBJECT > layout.ts
 */
import { execFileSync } from 'node:child_process';

interface BtfType {
  id: number;
  kind: string;
  name: string;
  size?: number;
  type_id?: number;
  nr_elems?: number;
  members?: { name: string; type_id: number; bits_offset: number }[];
  values?: { name: string; val: number }[];
}

const STRUCTS = [
  'exec_event',
  'exec_capabilities',
  'exec_environment',
  'cgroup_event',
  'cpu_state',
];
const ENUMS = ['environment_asked', 'event_kind', 'cause_kind', 'exec_flags', 'cgroup_maker'];

const dump = execFileSync('bpftool', ['btf', 'dump', '-j', 'file', process.argv[2] ?? ''], {
  maxBuffer: 64 << 20,
});
const types: BtfType[] = JSON.parse(dump.toString()).types;
const byId = new Map(types.map((type) => [type.id, type]));

const lines = [
  '// Generated from bpf/events.h by agent/source/generate-layout.ts; do not edit.',
  '',
  ...STRUCTS.flatMap(structLines),
  ...ENUMS.flatMap(enumLines),
];
process.stdout.write(`${lines.join('\n').trimEnd()}\n`);

function structLines(name: string): string[] {
  const struct = named('STRUCT', name);
  return [
    `/** Byte offsets in \`struct ${name}\`. */`,
    `export const ${camel(name)} = {`,
    ...fields(struct, '', 0),
    `  bytes: ${struct.size},`,
    '} as const;',
    '',
  ];
}

/** Returns one line per field; members of nested structs are flat, such as `causeCgroupV2`. */
function fields(struct: BtfType, prefix: string, base: number): string[] {
  return (struct.members ?? []).flatMap((member) => {
    const name = prefix ? `${prefix}_${member.name}` : member.name;
    const offset = base + member.bits_offset / 8;
    const type = resolve(member.type_id);
    const own = member.name === 'pad' ? [] : [`  ${camel(name)}: ${offset},`];
    return type.kind === 'STRUCT' ? [...own, ...fields(type, name, offset)] : own;
  });
}

function enumLines(name: string): string[] {
  const values = named('ENUM', name).values ?? [];
  return [
    `export const ${camel(name)} = {`,
    ...values.map((value) => `  ${camel(value.name.toLowerCase())}: ${value.val},`),
    '} as const;',
    '',
  ];
}

function named(kind: string, name: string): BtfType {
  const found = types.find((type) => type.kind === kind && type.name === name);
  if (!found) throw new Error(`the BTF has no ${kind.toLowerCase()} ${name}: anchor it`);
  return found;
}

function resolve(id: number): BtfType {
  const type = byId.get(id);
  if (!type) throw new Error(`the BTF has no type ${id}`);
  const alias = ['TYPEDEF', 'CONST', 'VOLATILE'].includes(type.kind) && type.type_id;
  return alias ? resolve(alias) : type;
}

function camel(name: string): string {
  return name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}
