// Generated from bpf/events.h by agent/source/generate-layout.ts; do not edit.

/** Byte offsets in `struct exec_event`. */
export const execEvent = {
  head: 0,
  headSize: 0,
  headKind: 4,
  headVersion: 6,
  headSeq: 8,
  headBootTime: 16,
  headCpu: 24,
  headMaker: 28,
  startTime: 32,
  cause: 40,
  causeBootTime: 40,
  causeSeq: 48,
  causeTgid: 56,
  causeCpu: 60,
  causeKind: 64,
  causeMntNs: 68,
  causeCgroup: 72,
  causeCgroupV2: 72,
  causeCgroupMemory: 80,
  causeCgroupPids: 88,
  causeCgroupMemoryHierarchy: 96,
  causeCgroupPidsHierarchy: 100,
  tgid: 104,
  ppid: 108,
  vpid: 112,
  flags: 116,
  argsSize: 120,
  argsCount: 124,
  comm: 128,
  executable: 144,
  executableInode: 144,
  executableDeviceMajor: 152,
  executableDeviceMinor: 156,
  executableMode: 160,
  context: 168,
  contextUid: 168,
  contextGid: 172,
  contextEuid: 176,
  contextEgid: 180,
  contextSuid: 184,
  contextLoginUid: 188,
  contextSessionId: 192,
  contextPidNs: 196,
  contextMntNs: 200,
  contextNetNs: 204,
  contextUserNs: 208,
  contextCgroupNs: 212,
  contextCapabilities: 216,
  contextCgroup: 224,
  contextCgroupV2: 224,
  contextCgroupMemory: 232,
  contextCgroupPids: 240,
  contextCgroupMemoryHierarchy: 248,
  contextCgroupPidsHierarchy: 252,
  contextTty: 256,
  object: 288,
  objectOffset: 288,
  objectLength: 290,
  path: 292,
  pathOffset: 292,
  pathLength: 294,
  cwd: 296,
  cwdOffset: 296,
  cwdLength: 298,
  args: 300,
  argsOffset: 300,
  argsLength: 302,
  descriptor: 304,
  descriptorOffset: 304,
  descriptorLength: 306,
  environment: 308,
  environmentOffset: 308,
  environmentLength: 310,
  data: 312,
  bytes: 312,
} as const;

/** Byte offsets in `struct exec_capabilities`. */
export const execCapabilities = {
  permitted: 0,
  inheritable: 8,
  bounding: 16,
  ambient: 24,
  bytes: 32,
} as const;

/** Byte offsets in `struct exec_environment`. */
export const execEnvironment = {
  size: 0,
  first: 4,
  data: 8,
  bytes: 8,
} as const;

/** Byte offsets in `struct cgroup_event`. */
export const cgroupEvent = {
  head: 0,
  headSize: 0,
  headKind: 4,
  headVersion: 6,
  headSeq: 8,
  headBootTime: 16,
  headCpu: 24,
  headMaker: 28,
  id: 32,
  hierarchy: 40,
  path: 44,
  pathOffset: 44,
  pathLength: 46,
  data: 48,
  bytes: 48,
} as const;

/** Byte offsets in `struct cpu_state`. */
export const cpuState = {
  seq: 0,
  lostSeq: 8,
  lost: 16,
  quietFirst: 24,
  quietLast: 32,
  quiet: 40,
  cgroupSeq: 48,
  readSeq: 56,
  entered: 64,
  left: 72,
  untracked: 80,
  bytes: 128,
} as const;

export const environmentAsked = {
  environmentNone: 0,
  environmentEntries: 1,
  environmentEvery: 2,
} as const;

export const eventKind = {
  eventExec: 1,
  eventCgroupMkdir: 2,
  eventCgroupRmdir: 3,
} as const;

export const causeKind = {
  causeRecord: 1,
  causeAncestor: 2,
  causeUntracked: 3,
} as const;

export const execFlags = {
  execObjectTruncated: 1,
  execPathTruncated: 2,
  execPathUnreachable: 4,
  execCwdTruncated: 8,
  execCwdUnreachable: 16,
  execArgsTruncated: 32,
  execMemfd: 64,
  execUpperLayer: 128,
  execUnlinked: 256,
  execInteractive: 512,
  execFdPath: 1024,
  execFdClosed: 2048,
  execFdUnreachable: 4096,
  execFdTruncated: 8192,
  execNoNewPrivs: 16384,
  execSeccompFilter: 32768,
  execGainedSetuid: 65536,
  execGainedSetgid: 131072,
  execCapabilities: 262144,
  execBounded: 524288,
} as const;

export const cgroupMaker = {
  makerUnknown: 0,
  makerPrivileged: 1,
  makerOther: 2,
} as const;
