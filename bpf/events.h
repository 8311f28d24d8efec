/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The contract between the kernel side and the rest: every layout that crosses, and every limit.
 *
 * Three kinds of memory are shared:
 *   - the ring buffer carries `struct exec_event`, `struct cgroup_event`   (EVENT_VERSION)
 *   - the table of causes and the per-CPU counters                        (TABLE_VERSION)
 *   - `struct control`, one page that both sides read and write           (TABLE_VERSION)
 *
 * All integers are in the machine's byte order; all structs are multiples of 8 bytes without holes
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
 * Layout versions. Pins of another TABLE_VERSION are not read. Every event carries the version of
 * its layout; what does not change is its head.
 */
#ifndef EVENT_VERSION
#define EVENT_VERSION 1
#endif
#define TABLE_VERSION 1
#define CONTROL_MAGIC 0x56434d4c41474e54ULL /* "VCMLAGNT" */

enum limits {
	PATH_BYTES = 4096,	  /* longest path kept, as in PATH_MAX */
	ARGS_BYTES_MAX = 32768,	  /* longest argument block that can be configured */
	ARGS_BYTES_CROWDED = 512, /* what is kept of arguments above half of the ring */
	HOLDER_BYTES = 128,	  /* who holds the hook, for a second agent's message */
	CGROUP_NAME_BYTES = 256,  /* longest name of a cgroup, as in NAME_MAX, with its NUL */
};

/* Calls that the loader turns into calls of the kernel's functions, see preempt.h. */
enum kernel_call {
	CALL_PREEMPT_DISABLE = 0x56434d01,
	CALL_PREEMPT_ENABLE,
	CALL_IRQ_SAVE,
	CALL_IRQ_RESTORE,
};

enum event_kind {
	EVENT_EXEC = 1,
	EVENT_CGROUP_MKDIR = 2,
	EVENT_CGROUP_RMDIR = 3,
};

/* Where a process's right to run came from. */
enum cause_kind {
	CAUSE_RECORD = 1,   /* an exec that was seen: boot_time, tgid, cpu, seq name its record */
	CAUSE_ANCESTOR = 2, /* a process that began before arming: tgid and boot_time (its start) */
	CAUSE_UNTRACKED = 3, /* not known: the table was full, or the kernel skipped a program */
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

/* One cgroup in the table: with its parents' entries its path. */
struct cgroup_name {
	u64 parent; /* id in the same hierarchy; 0: this is the root */
	u8 name[CGROUP_NAME_BYTES];
};

struct cause {
	u64 boot_time; /* ns: of the exec for a record, of the process's start for an ancestor */
	u64 seq;
	u32 tgid;
	u32 cpu;
	u32 kind; /* enum cause_kind */
	u32 mnt_ns;
	/*
	 * Where the cause itself ran. Of an ancestor: where it forked, or, where it did not fork,
	 * where it ran before its exec; all zero where an older kernel side made the entry.
	 */
	struct cgroup_ids cgroup;
};

/* One process in the table of causes, keyed by tgid. */
struct process {
	u64 start_time; /* start_boottime of the thread group: tells a reused tgid from its owner */
	u64 exec_id;	/* task->self_exec_id: tells whether an exec went by unseen */
	struct cause cause;
};

/* First of every event, so that a reader can step over what it does not know. */
struct event_head {
	u32 size; /* bytes of the whole event, head included, before the ring's padding */
	u16 kind; /* enum event_kind */
	u16 version;
	u64 seq; /* of this CPU, from 1: execs and cgroup events are counted apart */
	u64 boot_time;
	u32 cpu;
	u32 pad;
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
	EXEC_FD_PATH = 1 << 10,	  /* `descriptor` is the path of the N in `object`'s /dev/fd/N */
	EXEC_FD_CLOSED = 1 << 11, /* that N was closed by the exec itself */
	EXEC_FD_UNREACHABLE = 1 << 12,
	EXEC_FD_TRUNCATED = 1 << 13,
};

/* What changes seldom from exec to exec: the reader renders each distinct one once. */
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
	struct cause cause; /* what the process acted under just before */
	u32 tgid;
	u32 ppid;
	u32 vpid;      /* tgid in the process's own pid namespace */
	u32 flags;     /* enum exec_flags */
	u32 args_size; /* bytes there were */
	u32 args_count;
	u8 comm[16];
	struct executable executable;
	struct exec_context context;
	struct blob object; /* as given to execve */
	struct blob path;   /* the file that runs, from the process's root */
	struct blob cwd;
	struct blob args;	/* NUL-terminated strings */
	struct blob descriptor; /* see EXEC_FD_PATH */
	struct blob pad;
	u8 data[];
};

struct cgroup_event {
	struct event_head head;
	u64 id;
	u32 hierarchy;
	struct blob path; /* empty for rmdir */
	u8 data[];
};

/* Per CPU, indexed by CPU number. Written by the kernel but for `read_seq`. */
struct cpu_state {
	u64 seq;	 /* last number given to an exec */
	u64 lost_seq;	 /* highest number whose event found no room in the ring */
	u64 lost;	 /* how many found none */
	u64 quiet_first; /* the last run of numbers passed over for want of a reader */
	u64 quiet_last;
	u64 quiet;	/* how many in all */
	u64 cgroup_seq; /* last number given to a cgroup event */
	u64 read_seq;	/* written by the reader: last number that is safely in a journal */
	u64 entered;	/* processes that were entered in the table of causes here */
	u64 left;	/* processes that were taken out of it here */
	u64 untracked;	/* processes that found no room in it */
	u64 pad[5];
};

/* One page shared with the reader. */
struct control {
	u64 magic;
	u32 event_version;
	u32 table_version;
	u64 armed_at;	   /* boot time; 0: programs do nothing; still to come: see on_exec */
	u64 overflowed_at; /* boot time when an exec first found no room in the table */
	u64 active_generation;
	u64 object_hash;   /* which build of the kernel side runs */
	u64 wake_at;	   /* ring position from which on the reader wants to be woken */
	u64 seen_at;	   /* boot time when the reader last looked, or was last woken */
	u64 quiet_after;   /* ns without a reader before events stop; 0: never */
	u32 asleep;	   /* the reader waits to be woken by the next event */
	u32 args_bytes;	   /* arguments kept per exec */
	u32 mounted_bpffs; /* the agent mounted the bpffs itself */
	u32 pad;
	u8 holder[HOLDER_BYTES]; /* NUL-terminated: node and pid of the agent that reads */
};

#endif
