/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The contract between the kernel side and user space: every shared layout, and every limit.
 *
 * The two sides share three kinds of memory:
 *   - the ring buffer carries `struct exec_event`, `struct cgroup_event`   (EVENT_VERSION)
 *   - the table of causes and the per-CPU counters                        (TABLE_VERSION)
 *   - `struct control`, one page that both sides read and write           (TABLE_VERSION)
 *
 * All integers are in the machine's byte order. All structs are multiples of 8 bytes without holes
 * (-Wpadded is an error). TypeScript's copy, agent/source/layout.ts, is generated from the BTF of
 * these structs.
 */
#ifndef VCML_EVENTS_H
#define VCML_EVENTS_H

#ifndef __bpf__
#include <stdint.h>
typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef int32_t s32;
typedef uint64_t u64;
#endif

/*
 * Layout versions. Pins with another TABLE_VERSION are not read. Every event carries the version of
 * its layout; only the layout of its head never changes.
 */
#ifndef EVENT_VERSION
#define EVENT_VERSION 1
#endif
#define TABLE_VERSION 1
#define CONTROL_MAGIC 0x56434d4c41474e54ULL /* "VCMLAGNT" */

enum limits {
	PATH_BYTES = 4096,	       /* longest path that is kept, as in PATH_MAX */
	ARGS_BYTES_MAX = 32768,	       /* longest argument block that can be configured */
	ARGS_BYTES_CROWDED = 512,      /* arguments that are kept above half of the ring */
	PATH_BYTES_CROWDED = 512,      /* end of a path that is kept then; a name fits */
	ENVIRONMENT_PART_BYTES = 2048, /* of an environment's begin, and of its end */
	HOLDER_BYTES = 120,	       /* name of the agent that holds the hook */
	CGROUP_NAME_BYTES = 256,       /* longest name of a cgroup, as in NAME_MAX, with its NUL */
};

/* Calls that the loader replaces by calls of kernel functions, see preempt.h. */
enum kernel_call {
	CALL_PREEMPT_DISABLE = 0x56434d01,
	CALL_PREEMPT_ENABLE,
	CALL_IRQ_SAVE,
	CALL_IRQ_RESTORE,
};

/* Which events of execs have the environment. A former reader wrote 0 or 1. */
enum environment_asked {
	ENVIRONMENT_NONE = 0,
	ENVIRONMENT_ENTRIES = 1, /* of execs that are not where their cause ran */
	ENVIRONMENT_EVERY = 2,
};

enum event_kind {
	EVENT_EXEC = 1,
	EVENT_CGROUP_MKDIR = 2,
	EVENT_CGROUP_RMDIR = 3,
};

/* What caused a process to run. */
enum cause_kind {
	CAUSE_RECORD = 1, /* an exec that was seen; boot_time, tgid, cpu and seq name its record */
	CAUSE_ANCESTOR = 2, /* a process that began before arming; tgid and boot_time (its start) */
	CAUSE_UNTRACKED =
		3, /* unknown, because the table was full or the kernel skipped a program */
};

struct cgroup_ids {
	u64 v2;		      /* id in the unified hierarchy */
	u64 memory;	      /* id in the hierarchy that has the memory controller */
	u64 pids;	      /* the same for the pids controller */
	u32 memory_hierarchy; /* hierarchy ids as in /proc/PID/cgroup; 0 is the unified one */
	u32 pids_hierarchy;
};

/* Names a cgroup in the table of cgroups. */
struct cgroup_key {
	u64 id;
	u32 hierarchy; /* as in /proc/PID/cgroup; 0 is the unified one */
	u32 pad;
};

/*
 * Who made a cgroup. Whoever may make cgroups below their own can give them the name of any
 * container; a runtime is privileged.
 */
enum cgroup_maker {
	MAKER_UNKNOWN = 0,
	/* with CAP_SYS_ADMIN in the initial user namespace, in a cgroup that belongs to root */
	MAKER_PRIVILEGED = 1,
	MAKER_OTHER = 2,
};

/* One cgroup in the table; its parents' entries complete its path. */
struct cgroup_name {
	u64 parent; /* id in the same hierarchy; 0: this is the root */
	/* The last byte is its enum cgroup_maker, unless the name takes all bytes before it. */
	u8 name[CGROUP_NAME_BYTES];
};

struct cause {
	u64 boot_time; /* ns; of a record's exec, or of an ancestor's start */
	u64 seq;
	u32 tgid;
	u32 cpu;
	u32 kind; /* enum cause_kind */
	u32 mnt_ns;
	/*
	 * Where the cause itself ran. For an ancestor: where it forked, or where it ran before its
	 * exec if it did not fork. All zero if an older kernel side made the entry.
	 */
	struct cgroup_ids cgroup;
};

/* One process in the table of causes, keyed by tgid. */
struct process {
	u64 start_time; /* start_boottime of the thread group; it detects a reused tgid */
	u64 exec_id;	/* task->self_exec_id; it detects an exec that was not seen */
	struct cause cause;
};

/* The head of every event, which lets a reader skip events that it does not know. */
struct event_head {
	u32 size; /* bytes of the whole event with its head, without the ring's padding */
	u16 kind; /* enum event_kind */
	u16 version;
	u64 seq; /* number on this CPU, from 1; execs and cgroup events have separate numbers */
	u64 boot_time;
	u32 cpu;
	u32 maker; /* enum cgroup_maker, when a cgroup was made; else 0 */
};

/* Variable data: bytes at `offset` from the start of the event. */
struct blob {
	u16 offset;
	u16 length;
};

enum exec_flags {
	EXEC_OBJECT_TRUNCATED = 1 << 0,
	EXEC_PATH_TRUNCATED = 1 << 1,
	EXEC_PATH_UNREACHABLE = 1 << 2,
	EXEC_CWD_TRUNCATED = 1 << 3,
	EXEC_CWD_UNREACHABLE = 1 << 4,
	EXEC_ARGS_TRUNCATED = 1 << 5,
	EXEC_MEMFD = 1 << 6,
	EXEC_UPPER_LAYER = 1 << 7,
	EXEC_UNLINKED = 1 << 8,
	EXEC_INTERACTIVE = 1 << 9,
	EXEC_FD_PATH = 1 << 10,	  /* `object` is /dev/fd/N; `descriptor` is the path of N */
	EXEC_FD_CLOSED = 1 << 11, /* the exec itself closed N */
	EXEC_FD_UNREACHABLE = 1 << 12,
	EXEC_FD_TRUNCATED = 1 << 13,
	EXEC_NO_NEW_PRIVS = 1 << 14,
	EXEC_SECCOMP_FILTER = 1 << 15,
	EXEC_GAINED_SETUID = 1 << 16, /* the effective user is the file's, by its setuid bit */
	EXEC_GAINED_SETGID = 1 << 17,
	EXEC_CAPABILITIES = 1 << 18, /* the event has a struct exec_capabilities */
	EXEC_BOUNDED = 1 << 19,	     /* its bounding set is not as expected */
};

/* What seldom changes between execs; the reader renders each distinct context once. */
struct exec_context {
	u32 uid, gid, euid, egid, suid, login_uid;
	u32 session_id; /* tgid of the session's leader, initial pid namespace */
	u32 pid_ns, mnt_ns, net_ns, user_ns, cgroup_ns;
	u64 capabilities; /* effective */
	struct cgroup_ids cgroup;
	u8 tty[32]; /* the kernel's name, such as pts0; empty: none */
};

struct executable {
	u64 inode;
	u32 device_major;
	u32 device_minor;
	u32 mode;
	u32 pad;
};

struct exec_event {
	struct event_head head;
	u64 start_time;	    /* start_boottime of the thread group */
	struct cause cause; /* the cause of the process just before the exec */
	u32 tgid;
	u32 ppid;
	u32 vpid;      /* tgid in the process's own pid namespace */
	u32 flags;     /* enum exec_flags */
	u32 args_size; /* bytes before truncation */
	u32 args_count;
	u8 comm[16];
	struct executable executable;
	struct exec_context context;
	struct blob object; /* as given to execve */
	struct blob path;   /* the file that runs, relative to the process's root */
	struct blob cwd;
	struct blob args;	/* NUL-terminated strings */
	struct blob descriptor; /* see EXEC_FD_PATH */
	/* struct exec_environment; empty: it was not asked for */
	struct blob environment;
	u8 data[];
};

/*
 * The sets of capabilities beside the effective one, unless each of them is as expected: permitted
 * as effective, inheritable and ambient empty, bounding as effective or, if that is empty,
 * complete. They are behind the arguments, at the next multiple of 8, and the bytes before them are
 * zero.
 */
struct exec_capabilities {
	u64 permitted;
	u64 inheritable;
	u64 bounding;
	u64 ambient;
};

/*
 * The environment that a new program begins with: its first and its last ENVIRONMENT_PART_BYTES,
 * or all of it. It is at the end of the event and at a multiple of 4. If fewer than `size` bytes
 * are here, some are missing behind the first ones or at the end: a page was not present, or above
 * half of the ring none was read.
 */
struct exec_environment {
	u32 size;  /* bytes that there were */
	u32 first; /* bytes of `data` that are the first ones; all others are of the last ones */
	u8 data[]; /* NUL-terminated strings, unless they are cut */
};

struct cgroup_event {
	struct event_head head;
	u64 id;
	u32 hierarchy;
	struct blob path; /* empty for rmdir */
	u8 data[];
};

/* One per CPU, indexed by CPU number. The kernel side writes all fields except `read_seq`. */
struct cpu_state {
	u64 seq;	 /* last number assigned to an exec */
	u64 lost_seq;	 /* highest number whose event did not fit into the ring */
	u64 lost;	 /* number of events that did not fit */
	u64 quiet_first; /* the last range of numbers skipped because no agent was reading */
	u64 quiet_last;
	u64 quiet;	/* number of all skipped events */
	u64 cgroup_seq; /* last number assigned to a cgroup event */
	u64 read_seq;	/* written by the reader: last number that is in a journal */
	u64 entered;	/* processes added to the table of causes on this CPU */
	u64 left;	/* processes removed from it on this CPU */
	u64 untracked;	/* processes that did not fit into it */
	u64 pad[5];
};

/* One page shared with the reader. */
struct control {
	u64 magic;
	u32 event_version;
	u32 table_version;
	u64 armed_at;	   /* boot time; 0: programs do nothing; in the future: see on_exec */
	u64 overflowed_at; /* boot time when an exec first was unknown: no room, or no on_exec */
	u64 active_generation;
	u64 object_hash;   /* identifies the build of the kernel side that runs */
	u64 wake_at;	   /* ring position at which the reader wants to be woken */
	u64 seen_at;	   /* boot time when the reader last read or was last woken */
	u64 quiet_after;   /* ns without a reader after which events stop; 0: never */
	u32 asleep;	   /* whether the next event must wake the reader */
	u32 args_bytes;	   /* argument bytes that are kept per exec */
	u32 mounted_bpffs; /* whether the agent mounted the bpffs itself */
	u32 read_misses;   /* written by the reader: skipped execs that are in a journal as lost */
	/* NUL-terminated: node and pid of the agent that reads; its place never changes */
	u8 holder[HOLDER_BYTES];
	u64 environment_asked; /* enum environment_asked */
};

#endif
