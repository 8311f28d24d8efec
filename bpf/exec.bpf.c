// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The kernel side: it follows fork, exec, exit and cgroups, and writes one event per exec.
 *
 * These are tracing programs, which only read: they change nothing in the kernel or in a process.
 * They run with preemption off (preempt.h), so that per-CPU data needs no atomics, which
 * kernel 5.10 does not offer to such programs.
 */
#include "kernel.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "events.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

enum {
	SCRATCH_BYTES = 65536,
	PAGE_BYTES = 4096,	 /* correct for larger pages as well, only slower */
	TRACE_PATH_BYTES = 1024, /* the kernel's TRACE_CGROUP_PATH_LEN: it cuts a cgroup's path */
	NO_LOGIN_UID = 0xffffffff,
	PFA_NO_NEW_PRIVS = 0, /* a bit of task_struct's atomic_flags */
	S_IFMT = 0170000,
	S_IFREG = 0100000,
	S_IFCHR = 0020000,
	S_ISUID = 0004000,
	S_ISGID = 0002000,
	S_IXGRP = 0000010,
	SECCOMP_MODE_FILTER = 2,
	OVERLAYFS_SUPER_MAGIC = 0x794c7630,
	CAP_SYS_ADMIN = 21,
};

#define NULL ((void *)0)

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1); /* CPUs, set by the loader */
	__type(key, u32);
	__type(value, struct cpu_state);
} cpus SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct control);
} control_page SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 32 << 20); /* set by the loader */
} events SEC(".maps");

/* Anchors: types that only functions use would be missing from the BTF, from which layout.ts is
 * generated.
 */
const struct exec_event *anchor_exec_event;
const struct exec_capabilities *anchor_exec_capabilities;
const struct exec_environment *anchor_exec_environment;
const struct cgroup_event *anchor_cgroup_event;
const enum environment_asked *anchor_environment_asked;
const enum event_kind *anchor_event_kind;
const enum cause_kind *anchor_cause_kind;
const enum exec_flags *anchor_exec_flags;
const enum cgroup_maker *anchor_cgroup_maker;

/* The number of this kernel side: two are attached during an upgrade, and one of them is active. */
const volatile u64 generation = 1;

#include "preempt.h"
#include "cgroups.h"
#include "lineage.h"
#include "path.h"
#include "environment.h"
#include "privilege.h"
#include "invocation.h"

static __always_inline struct control *active_control(void)
{
	u32 zero = 0;
	struct control *control = bpf_map_lookup_elem(&control_page, &zero);

	if (!control || !control->armed_at || control->active_generation != generation)
		return NULL;
	return control;
}

static __always_inline u64 exec_id_of(const struct task_struct *task)
{
	return task->self_exec_id;
}

/*
 * Wakes the reader if it sleeps or if the ring has filled past its mark. The event is already in
 * the ring, and adding it was a full barrier: either this program sees that the reader is asleep,
 * or the reader sees the event before it sleeps. An empty record carries the wake-up.
 */
static __always_inline void wake_reader(struct control *control, u64 now)
{
	void *record;

	if (!control->asleep && bpf_ringbuf_query(&events, BPF_RB_PROD_POS) < control->wake_at)
		return;
	record = bpf_ringbuf_reserve(&events, 8, 0);
	/* Without room for it, the next event tries again. */
	if (!record)
		return;
	control->asleep = 0;
	control->wake_at = ~0ULL;
	control->seen_at = now;
	bpf_ringbuf_discard(record, BPF_RB_FORCE_WAKEUP);
}

/* Whether nobody has read for so long that events would only fill the ring. A sleeping reader
 * does not count as absent.
 */
static __always_inline bool is_quiet(const struct control *control, u64 now)
{
	return control->quiet_after && !control->asleep && now > control->seen_at &&
	       now - control->seen_at > control->quiet_after;
}

static __always_inline void fill_head(struct event_head *head, u16 kind, u32 cpu, u64 seq, u64 now)
{
	head->kind = kind;
	head->version = EVENT_VERSION;
	head->seq = seq;
	head->boot_time = now;
	head->cpu = cpu;
	head->maker = MAKER_UNKNOWN;
}

static __always_inline int enter(struct task_struct *parent, struct task_struct *child)
{
	struct control *control = active_control();
	struct process process = {};
	struct cpu_state *cpu;
	u32 tgid = child->tgid, number;

	/* A new thread belongs to its process, which has an entry. */
	if (!control || child->pid != child->tgid)
		return 0;
	process.start_time = child->start_boottime;
	process.exec_id = exec_id_of(child);
	find_cause(control, parent, exec_id_of(parent), &process.cause);

	number = bpf_get_smp_processor_id();
	cpu = bpf_map_lookup_elem(&cpus, &number);
	if (!cpu)
		return 0;
	if (bpf_map_update_elem(&causes, &tgid, &process, BPF_ANY))
		cpu->untracked++;
	else
		cpu->entered++;
	return 0;
}

SEC("tp_btf/sched_process_fork")
int BPF_PROG(on_fork, struct task_struct *parent, struct task_struct *child)
{
	hold_cpu();
	enter(parent, child);
	release_cpu();
	return 0;
}

/*
 * Lineage and numbers come first, so that the children of this exec know their cause whatever
 * happens to the event. The loader sets armed_at a moment ahead, and execs before that time make
 * ancestors: every process that begins after armed_at has an entry, and every number is assigned
 * after it.
 */
static __always_inline int record(struct task_struct *task, struct linux_binprm *bprm)
{
	struct control *control = active_control();
	u32 number = bpf_get_smp_processor_id(), tgid = task->tgid, size;
	struct cpu_state *cpu = bpf_map_lookup_elem(&cpus, &number);
	struct scratch *scratch = bpf_map_lookup_elem(&scratches, &number);
	struct process *process, entry = {};
	struct exec_event *event;
	u64 now, seq = 0;
	bool armed;

	if (!control || !cpu || !scratch)
		return 0;
	event = (void *)scratch->event;
	now = bpf_ktime_get_boot_ns();
	armed = now >= control->armed_at;
	entry.start_time = task->group_leader->start_boottime;
	entry.exec_id = exec_id_of(task);

	__builtin_memset(&event->cause, 0, sizeof(event->cause));
	process = find_cause(control, task, entry.exec_id - 1, &event->cause);
	/* The other kernel side recorded this exec just before an upgrade made this one active. */
	if (process && process->exec_id == entry.exec_id)
		return 0;
	if (!armed) {
		entry.cause.kind = CAUSE_ANCESTOR;
		entry.cause.boot_time = entry.start_time;
	} else {
		seq = ++cpu->seq;
		entry.cause.kind = CAUSE_RECORD;
		entry.cause.boot_time = now;
		entry.cause.seq = seq;
		entry.cause.cpu = number;
	}
	entry.cause.tgid = tgid;
	read_place(task, &entry.cause);
	if (process) {
		*process = entry;
	} else if (bpf_map_update_elem(&causes, &tgid, &entry, BPF_ANY)) {
		cpu->untracked++;
		if (!control->overflowed_at)
			control->overflowed_at = now;
	} else {
		cpu->entered++;
	}
	if (!armed)
		return 0;

	if (is_quiet(control, now)) {
		if (cpu->quiet_last + 1 != seq)
			cpu->quiet_first = seq;
		cpu->quiet_last = seq;
		cpu->quiet++;
		return 0;
	}
	fill_head(&event->head, EVENT_EXEC, number, seq, now);
	event->start_time = entry.start_time;
	event->tgid = tgid;
	size = fill_exec(scratch, control, &entry.cause, task, bprm);
	event->head.size = size;
	if (size > SCRATCH_BYTES ||
	    bpf_ringbuf_output(&events, event, size & (2 * SCRATCH_BYTES - 1), BPF_RB_NO_WAKEUP)) {
		cpu->lost_seq = seq;
		cpu->lost++;
	}
	wake_reader(control, now);
	return 0;
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(on_exec, struct task_struct *task, int old_pid, struct linux_binprm *bprm)
{
	hold_cpu();
	record(task, bprm);
	release_cpu();
	return 0;
}

/* Removes the entry with the last thread. The tgid is not reused before the leader is reaped. */
static __always_inline int leave(struct task_struct *task)
{
	u32 tgid = task->tgid, number;
	struct cpu_state *cpu;

	if (!active_control() || task->signal->live.counter)
		return 0;
	if (bpf_map_delete_elem(&causes, &tgid))
		return 0;
	number = bpf_get_smp_processor_id();
	cpu = bpf_map_lookup_elem(&cpus, &number);
	if (cpu)
		cpu->left++;
	return 0;
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(on_exit, struct task_struct *task)
{
	hold_cpu();
	leave(task);
	release_cpu();
	return 0;
}

static __always_inline int cgroup_event(struct cgroup *cgroup, const char *path, u16 kind)
{
	struct control *control = active_control();
	u32 number = bpf_get_smp_processor_id();
	struct cpu_state *cpu = bpf_map_lookup_elem(&cpus, &number);
	struct scratch *scratch = bpf_map_lookup_elem(&scratches, &number);
	struct cgroup_event *event;
	u64 now, seq;
	u8 maker;
	u64 size = sizeof(*event);
	long length;

	if (!control || !cpu || !scratch || !is_named(cgroup))
		return 0;
	/* This comes first and happens without a reader as well, because naming a place must not
	 * depend on an event.
	 */
	maker = kind == EVENT_CGROUP_MKDIR ? maker_of(cgroup) : kept_maker(cgroup);
	keep_name(cgroup, maker);
	/* It is no container's own cgroup, so that nobody waits for its event. Whoever may make
	 * cgroups could fill the ring with thousands of them.
	 */
	if (maker == MAKER_OTHER)
		return 0;
	now = bpf_ktime_get_boot_ns();
	seq = ++cpu->cgroup_seq;
	if (is_quiet(control, now))
		return 0;
	event = (void *)scratch->cgroup_event[kind == EVENT_CGROUP_MKDIR];
	fill_head(&event->head, kind, number, seq, now);
	if (kind == EVENT_CGROUP_MKDIR)
		event->head.maker = maker;
	event->id = cgroup->kn->id;
	event->hierarchy = cgroup->root->hierarchy_id;
	event->path.offset = size;
	event->path.length = 0;
	if (kind == EVENT_CGROUP_MKDIR) {
		length = bpf_probe_read_kernel_str((u8 *)event + size, TRACE_PATH_BYTES, path);
		/* A path that fills the buffer may be cut; the table of cgroups has all of it. */
		if (length > 0 && length < TRACE_PATH_BYTES) {
			event->path.length = length - 1;
			size += length;
		}
	}
	event->head.size = size;
	barrier_var(size);
	bpf_ringbuf_output(&events, event, size & (2 * PATH_BYTES - 1), BPF_RB_NO_WAKEUP);
	wake_reader(control, now);
	return 0;
}

SEC("tp_btf/cgroup_mkdir")
int BPF_PROG(on_cgroup_mkdir, struct cgroup *cgroup, const char *path)
{
	hold_cpu();
	cgroup_event(cgroup, path, EVENT_CGROUP_MKDIR);
	release_cpu();
	return 0;
}

SEC("tp_btf/cgroup_rmdir")
int BPF_PROG(on_cgroup_rmdir, struct cgroup *cgroup, const char *path)
{
	hold_cpu();
	cgroup_event(cgroup, path, EVENT_CGROUP_RMDIR);
	release_cpu();
	return 0;
}
