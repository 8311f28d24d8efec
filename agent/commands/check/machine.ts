import { statfsSync, statSync } from 'node:fs';
import { machine, release } from 'node:os';
import { dirname } from 'node:path';
import { KEYS } from '../../../record/fields.ts';
import type { Config } from '../../config/schema.ts';
import { NATIVE_ERRORS } from '../../errors.ts';
import { textIfThere } from '../../files.ts';
import { LOG_EVENTS } from '../../log-events.ts';
import { isInHostPidNamespace, unseenProcesses } from '../../run/proc.ts';
import { hostOf } from '../../run/wiring.ts';
import { hookText } from '../status.ts';
import { statusOf } from '../status-of.ts';
import { type Check, failed, ok } from './finding.ts';

const ARCHITECTURES = ['x86_64', 'aarch64'];
const BTF = '/sys/kernel/btf/vmlinux';
/** Shows a lockdown in brackets. Pods do not see it: the runtime does not mount securityfs. */
const LOCKDOWN = '/sys/kernel/security/lockdown';
const DEFAULT_BPFFS = '/sys/fs/bpf';
/** BPF_FS_MAGIC in linux/magic.h */
const BPFFS_TYPE = 0xcafe4a11;
/** The bits of CapEff (linux/capability.h). */
const CAPABILITIES = {
  SYS_PTRACE: 19,
  SYS_ADMIN: 21,
  SYS_RESOURCE: 24,
  PERFMON: 38,
  BPF: 39,
} as const;

/** What the agent needs of the machine, by the name of the check. */
export function machineChecks(config: Config): [string, Check][] {
  return [
    ['node', () => checkNode(config)],
    ['kernel', checkKernel],
    ['BTF', checkBtf],
    ['bpffs', () => checkBpffs(config)],
    ['capabilities', checkCapabilities],
    ['processes', checkProcesses],
    ['hook', () => checkHook(config)],
  ];
}

function checkNode(config: Config) {
  const { nodeName } = config;
  const { [KEYS.hostId]: id } = hostOf(config);
  if (id !== undefined) return ok(`${nodeName}, host.id ${id}`);
  return failed(
    `${nodeName}; /etc/machine-id cannot be read, so records have no host.id`,
    'make it with systemd-machine-id-setup, and in the chart set hostPaths.machineId',
  );
}

function checkKernel() {
  const found = `${release()}, ${machine()}`;
  if (!ARCHITECTURES.includes(machine()))
    return failed(found, `use a node with ${ARCHITECTURES.join(' or ')}`);
  if (!isAtLeast(5, 10)) return failed(found, NATIVE_ERRORS.KERNEL_UNSUPPORTED.remedy);
  if (/\[confidentiality\]/.test(textIfThere(LOCKDOWN) ?? ''))
    return failed(
      `${found}, with lockdown=confidentiality, so that no program may read its memory`,
      'boot with lockdown=integrity, or without lockdown',
    );
  return ok(found);
}

function isAtLeast(major: number, minor: number): boolean {
  const [has = 0, more = 0] = release().split('.').map(Number);
  return has > major || (has === major && more >= minor);
}

function checkBtf() {
  const text = sizeOf(BTF);
  if (text !== undefined && text > 0) return ok(`${BTF}, ${(text / 2 ** 20).toFixed(1)} MiB`);
  return failed(
    `${BTF} cannot be read`,
    'use a kernel that is built with CONFIG_DEBUG_INFO_BTF, as those of distributions are from 5.10 on',
  );
}

function checkBpffs({ pinDir, mountBpffs }: Config) {
  const folder = dirname(pinDir);
  const mount = `mount -t bpf -o mode=0700,nosuid,nodev,noexec bpf ${folder}`;
  if (!isBpffs(folder)) {
    const found = `none is mounted at ${folder}`;
    if (mountBpffs === 'true' && folder === DEFAULT_BPFFS) return ok(`${found}; run mounts it`);
    return failed(found, `as root on the node: ${mount}`);
  }
  const { uid, mode } = statSync(folder);
  if (uid !== 0 && uid !== process.geteuid?.())
    return failed(`${folder} belongs to uid ${uid}`, `chown root ${folder}`);
  // In a sticky folder, others can neither remove nor rename what is not theirs.
  if ((mode & 0o022) !== 0 && (mode & 0o1000) === 0)
    return failed(`${folder} can be written by others`, `chmod 0700 ${folder}`);
  return ok(folder);
}

function isBpffs(folder: string): boolean {
  try {
    return statfsSync(folder).type === BPFFS_TYPE;
  } catch {
    return false;
  }
}

function checkCapabilities() {
  if (process.geteuid?.() !== 0)
    return failed(`this process is uid ${process.geteuid?.()}`, 'run it as root');
  const effective = BigInt(
    `0x${/^CapEff:\s*(\w+)/m.exec(textIfThere('/proc/self/status') ?? '')?.[1]}`,
  );
  const has = (name: keyof typeof CAPABILITIES) =>
    ((effective >> BigInt(CAPABILITIES[name])) & 1n) === 1n;
  const missing = (['BPF', 'PERFMON'] as const).filter((name) => !has(name) && !has('SYS_ADMIN'));
  // Since 5.11, maps count for the memory of the cgroup and not for RLIMIT_MEMLOCK.
  const isLocked = !isAtLeast(5, 11) && !has('SYS_RESOURCE');
  const all = [...missing, ...(isLocked ? ['SYS_RESOURCE'] : [])];
  const names = (Object.keys(CAPABILITIES) as (keyof typeof CAPABILITIES)[]).filter(has);
  if (all.length === 0) return ok(names.join(', '));
  return failed(
    `${all.join(' and ')} missing`,
    'add what is missing to the capabilities of the pod, as the chart does',
  );
}

/** What records lack without it does not keep the agent from recording. */
function checkProcesses() {
  const unseen = unseenProcesses();
  if (unseen === undefined) return ok('those of the host can be named');
  const { sentence, remedy } = LOG_EVENTS[unseen];
  return ok(sentence, remedy);
}

function checkHook(config: Config) {
  const status = statusOf(config);
  const { complete, holder } = status.pins;
  const found = hookText(status);
  // The kernel lists locks of visible processes only.
  if (complete && (holder !== undefined || !isInHostPidNamespace())) return ok(found);
  return failed(found, 'start the agent, or see its log for why it does not record');
}

function sizeOf(file: string): number | undefined {
  try {
    return statSync(file).size;
  } catch {
    return undefined;
  }
}
