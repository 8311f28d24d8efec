// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The kernel side: watches fork, exec, exit and cgroups, and writes one event per exec.
 *
 * Tracing programs that read, nothing else: they change nothing in the kernel or in any process.
 * They run with preemption off or are skipped when entered again on the same CPU, so per-CPU state
 * needs no atomics (which kernel 5.10 does not offer to them).
 */
#include "kernel.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "events.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

enum {
	SCRATCH_BYTES = 65536,
	PAGE_BYTES = 4096, /* also right, only less economical, where pages are larger */
	NO_LOGIN_UID = 0xffffffff,
	S_IFMT = 0170000,
	S_IFCHR = 0020000,
	OVERLAYFS_SUPER_MAGIC = 0x794c7630,
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

/* Anchors: types that only functions use would be missing from the BTF that layout.ts is made of.
 */
const struct exec_event *anchor_exec_event;
const struct cgroup_event *anchor_cgroup_event;
const enum event_kind *anchor_event_kind;
const enum cause_kind *anchor_cause_kind;
const enum exec_flags *anchor_exec_flags;

/* Which kernel side this is: during an upgrade two are attached, and one is active. */
const volatile u64 generation = 1;

#include "lineage.h"
#include "path.h"

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
 * Wakes the reader if it sleeps or if the ring has filled past its mark. The event is in the ring
 * by now, and putting it there was a full barrier: either this sees that the reader went to sleep,
 * or the reader, before it sleeps, sees the event. An empty record carries the wake-up.
 */
static __always_inline void wake_reader(struct control *control, u64 now)
{
	void *record;

	if (!control->asleep && bpf_ringbuf_query(&events, BPF_RB_PROD_POS) < control->wake_at)
		return;
	control->asleep = 0;
	control->wake_at = ~0ULL;
	control->seen_at = now;
	record = bpf_ringbuf_reserve(&events, 8, 0);
	if (record)
		bpf_ringbuf_discard(record, BPF_RB_FORCE_WAKEUP);
}

/* Has nobody read for so long that events would only fill the ring? A sleeping reader is not late.
 */
static __always_inline bool is_quiet(const struct control *control, u64 now)
{
	return control->quiet_after && !control->asleep && now > control->seen_at &&
	       now - control->seen_at > control->quiet_after;
}

static __always_inline u32 mnt_ns_of(const struct task_struct *task)
{
	return task->nsproxy->mnt_ns->ns.inum;
}

static __always_inline void read_controller(const struct css_set *css_set, u32 subsys, u64 *id,
					    u32 *hierarchy)
{
	struct cgroup *cgroup = css_set->subsys[subsys]->cgroup;

	*id = cgroup->kn->id;
	*hierarchy = cgroup->root->hierarchy_id;
}

static __always_inline void read_cgroups(const struct task_struct *task, struct cgroup_ids *ids)
{
	const struct css_set *css_set = task->cgroups;

	ids->v2 = css_set->dfl_cgrp->kn->id;
	if (bpf_core_enum_value_exists(enum cgroup_subsys_id, memory_cgrp_id))
		read_controller(css_set, bpf_core_enum_value(enum cgroup_subsys_id, memory_cgrp_id),
				&ids->memory, &ids->memory_hierarchy);
	if (bpf_core_enum_value_exists(enum cgroup_subsys_id, pids_cgrp_id))
		read_controller(css_set, bpf_core_enum_value(enum cgroup_subsys_id, pids_cgrp_id),
				&ids->pids, &ids->pids_hierarchy);
}

static __always_inline void read_tty(const struct task_struct *task, struct exec_event *event)
{
	struct tty_struct *tty = task->signal->tty;
	struct fdtable *fdt = task->files->fdt;
	struct file *in = NULL, *err = NULL;
	u32 device;

	if (!tty)
		return;
	bpf_probe_read_kernel_str(event->context.tty, sizeof(event->context.tty), tty->name);
	/* Interactive: standard input and standard error are that terminal. */
	device = (tty->driver->major << 20) | (tty->driver->minor_start + tty->index);
	if (fdt->max_fds < 3)
		return;
	bpf_probe_read_kernel(&in, sizeof(in), &fdt->fd[0]);
	bpf_probe_read_kernel(&err, sizeof(err), &fdt->fd[2]);
	if (in && err && BPF_CORE_READ(in, f_inode, i_rdev) == device &&
	    BPF_CORE_READ(err, f_inode, i_rdev) == device)
		event->flags |= EXEC_INTERACTIVE;
}

static __always_inline void read_context(const struct task_struct *task, const struct cause *cause,
					 struct exec_event *event)
{
	struct exec_context *context = &event->context;
	const struct cred *cred = task->cred;
	const struct nsproxy *nsproxy = task->nsproxy;
	struct pid *pid = task->thread_pid;
	struct pid *session = task->signal->pids[PIDTYPE_SID];
	struct upid upid = {};

	context->uid = cred->uid.val;
	context->gid = cred->gid.val;
	context->euid = cred->euid.val;
	context->egid = cred->egid.val;
	context->suid = cred->suid.val;
	/* One u64, or two u32 of it before kernel 6.3: the same bytes. */
	bpf_probe_read_kernel(&context->capabilities, sizeof(context->capabilities),
			      &cred->cap_effective);
	context->login_uid = NO_LOGIN_UID;
	if (bpf_core_field_exists(task->loginuid))
		context->login_uid = task->loginuid.val;
	context->session_id = BPF_CORE_READ(session, numbers[0].nr);

	/* The innermost of the process's numbers, and the namespace that gave it. */
	bpf_probe_read_kernel(&upid, sizeof(upid),
			      (void *)pid + bpf_core_field_offset(struct pid, numbers) +
				      (u64)pid->level * sizeof(upid));
	event->vpid = upid.nr;
	context->pid_ns = upid.ns ? BPF_CORE_READ(upid.ns, ns.inum) : 0;
	context->net_ns = nsproxy->net_ns->ns.inum;
	context->cgroup_ns = nsproxy->cgroup_ns->ns.inum;
	context->user_ns = cred->user_ns->ns.inum;
	/* Read for the new cause already. */
	context->mnt_ns = cause->mnt_ns;
	context->cgroup = cause->cgroup;
	__builtin_memset(context->tty, 0, sizeof(context->tty));
	read_tty(task, event);
}

static __always_inline void read_executable(const struct file *file, struct exec_event *event)
{
	struct inode *inode = file->f_inode;
	struct dentry *dentry = file->f_path.dentry;
	struct super_block *sb = inode->i_sb;
	u32 device = sb->s_dev;
	void *upper = NULL;

	event->executable.inode = inode->i_ino;
	event->executable.device_major = device >> 20;
	event->executable.device_minor = device & 0xfffff;
	event->executable.mode = inode->i_mode;
	event->executable.pad = 0;
	/* As d_unlinked(): no longer in the hash, and not the top of a tree. */
	if (!dentry->d_hash.pprev && dentry->d_parent != dentry)
		event->flags |= EXEC_UNLINKED;
	if (sb->s_magic == OVERLAYFS_SUPER_MAGIC) {
		/* struct ovl_inode: vfs_inode, then __upperdentry; its BTF is in a module. */
		bpf_probe_read_kernel(&upper, sizeof(upper),
				      (void *)inode + bpf_core_type_size(struct inode));
		if (upper)
			event->flags |= EXEC_UPPER_LAYER;
	}
}

/* Puts a path behind what the event has already; flags are those of this path. */
static __always_inline u32 append_path(struct scratch *scratch, u32 at, const struct path *path,
				       const struct path *root, struct blob *blob, u32 truncated,
				       u32 unreachable)
{
	struct exec_event *event = (void *)scratch->event;
	u32 result = walk(&scratch->path, path, root);
	u32 start = result & WALK_START, length;

	if (start > PATH_BYTES)
		return at;
	length = PATH_BYTES - start;
	if (result & WALK_TRUNCATED)
		event->flags |= truncated;
	if (result & WALK_UNREACHABLE)
		event->flags |= unreachable;
	if (result & WALK_MEMFD)
		event->flags |= truncated == EXEC_PATH_TRUNCATED ? EXEC_MEMFD : 0;
	at &= SCRATCH_BYTES - 1;
	start &= PATH_BYTES - 1;
	bpf_probe_read_kernel(&scratch->event[at], length & (2 * PATH_BYTES - 1),
			      &scratch->path.bytes[start]);
	blob->offset = at;
	blob->length = length;
	return at + length;
}

/* The N of "/dev/fd/N" or "/dev/fd/N/...", or -1. */
static __always_inline int descriptor_of(const u8 *object)
{
	const char prefix[] = "/dev/fd/";
	int fd = -1;

	for (u32 i = 0; i < sizeof(prefix) - 1; i++)
		if (object[i] != prefix[i])
			return -1;
	for (u32 i = 0; i < 10; i++) {
		u8 digit = object[sizeof(prefix) - 1 + i];

		if (digit < '0' || digit > '9')
			return digit && digit != '/' ? -1 : fd;
		fd = (fd < 0 ? 0 : fd * 10) + (digit - '0');
	}
	return fd;
}

/*
 * execveat() names its file to the rest of the kernel as /dev/fd/N[/...]. Somebody can also have
 * written just that: then the descriptor is believed only if it is the file that runs.
 */
static __always_inline u32 append_descriptor(struct scratch *scratch, u32 at, const u8 *object,
					     const struct task_struct *task,
					     const struct linux_binprm *bprm,
					     const struct path *root)
{
	struct exec_event *event = (void *)scratch->event;
	bool by_descriptor = bprm->fdpath != NULL;
	bool script = bprm->interp != bprm->filename;
	int fd = descriptor_of(object);
	struct file **fds, *file = NULL;

	if (fd < 0)
		return at;
	if ((u32)fd < BPF_CORE_READ(task, files, fdt, max_fds)) {
		fds = BPF_CORE_READ(task, files, fdt, fd);
		bpf_probe_read_kernel(&file, sizeof(file), &fds[fd]);
	}
	if (!file) {
		if (by_descriptor || !script)
			event->flags |= EXEC_FD_CLOSED;
		return at;
	}
	if (!by_descriptor && BPF_CORE_READ(file, f_inode) != BPF_CORE_READ(bprm, file, f_inode))
		return at;
	event->flags |= EXEC_FD_PATH;
	return append_path(scratch, at, &file->f_path, root, &event->descriptor, EXEC_FD_TRUNCATED,
			   EXEC_FD_UNREACHABLE);
}

/* How much of the arguments there is room for: no pod shall flush the ring with megabytes. */
static __always_inline u32 args_limit(const struct control *control)
{
	u64 used = bpf_ringbuf_query(&events, BPF_RB_AVAIL_DATA);
	u64 half = bpf_ringbuf_query(&events, BPF_RB_RING_SIZE) / 2;
	u32 limit = control->args_bytes;

	if (limit > ARGS_BYTES_MAX)
		limit = ARGS_BYTES_MAX;
	if (used > half + half / 2)
		return 0;
	if (used > half && limit > ARGS_BYTES_CROWDED)
		return ARGS_BYTES_CROWDED;
	return limit;
}

/* Page by page: a page that is not there ends the reading and takes nothing else with it. */
static __always_inline u32 append_args(struct scratch *scratch, u32 at,
				       const struct control *control,
				       const struct task_struct *task)
{
	struct exec_event *event = (void *)scratch->event;
	struct mm_struct *mm = task->mm;
	u64 start = mm->arg_start, end = mm->arg_end;
	u64 size = end > start ? end - start : 0;
	u64 wanted = args_limit(control), length = 0;

	event->args_size = size > 0xffffffff ? 0xffffffff : size;
	if (wanted > size)
		wanted = size;
	for (u32 i = 0; i < ARGS_BYTES_MAX / PAGE_BYTES + 1 && length < wanted; i++) {
		u64 chunk = PAGE_BYTES - ((start + length) & (PAGE_BYTES - 1));
		u64 to = (at + length) & (SCRATCH_BYTES - 1);

		if (chunk > wanted - length)
			chunk = wanted - length;
		barrier_var(chunk); /* or the compiler drops the check that the verifier wants */
		if (chunk > PAGE_BYTES)
			break;
		if (bpf_probe_read_user(&scratch->event[to], chunk, (void *)(start + length)))
			break;
		length += chunk;
	}
	if (length < size)
		event->flags |= EXEC_ARGS_TRUNCATED;
	event->args.offset = at;
	event->args.length = length;
	return at + length;
}

static __always_inline void fill_head(struct event_head *head, u16 kind, u32 cpu, u64 seq, u64 now)
{
	head->kind = kind;
	head->version = EVENT_VERSION;
	head->seq = seq;
	head->boot_time = now;
	head->cpu = cpu;
	head->pad = 0;
}

static __always_inline u32 fill_exec(struct scratch *scratch, const struct control *control,
				     const struct cause *cause, struct task_struct *task,
				     struct linux_binprm *bprm)
{
	struct exec_event *event = (void *)scratch->event;
	const struct fs_struct *fs = task->fs;
	const struct file *file = bprm->file;
	u32 at = sizeof(*event);
	long length;

	event->ppid = task->real_parent->tgid;
	event->flags = 0;
	event->args_count = bprm->argc;
	bpf_probe_read_kernel(event->comm, sizeof(event->comm), task->comm);
	__builtin_memset(&event->object, 0, 6 * sizeof(struct blob));
	read_context(task, cause, event);
	read_executable(file, event);

	/* One more than is kept, and its NUL, to tell a path of just that length from a longer one.
	 */
	length = bpf_probe_read_kernel_str(&scratch->event[at], PATH_BYTES + 2, bprm->filename);
	if (length > PATH_BYTES + 1) {
		event->flags |= EXEC_OBJECT_TRUNCATED;
		length = PATH_BYTES + 1;
	}
	if (length > 0) {
		event->object.offset = at;
		event->object.length = length - 1;
		at += length;
	}
	at = append_descriptor(scratch, at, &scratch->event[sizeof(*event)], task, bprm, &fs->root);
	at = append_path(scratch, at, &file->f_path, &fs->root, &event->path, EXEC_PATH_TRUNCATED,
			 EXEC_PATH_UNREACHABLE);
	at = append_path(scratch, at, &fs->pwd, &fs->root, &event->cwd, EXEC_CWD_TRUNCATED,
			 EXEC_CWD_UNREACHABLE);
	return append_args(scratch, at, control, task);
}

SEC("tp_btf/sched_process_fork")
int BPF_PROG(on_fork, struct task_struct *parent, struct task_struct *child)
{
	struct control *control = active_control();
	struct process process = {};
	struct cpu_state *cpu;
	u32 tgid = child->tgid, number;

	/* A thread is its process. */
	if (!control || child->pid != child->tgid)
		return 0;
	process.start_time = child->start_boottime;
	process.exec_id = exec_id_of(child);
	find_cause(control, parent->tgid, parent->group_leader->start_boottime, exec_id_of(parent),
		   &process.cause);

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

/*
 * Lineage and numbers come first: whatever happens to the event, the children of this exec know
 * whose they are. Until armed_at, which the loader sets a moment ahead, execs make ancestors: so
 * every process that begins after it has an entry, and every number is given after it.
 */
SEC("tp_btf/sched_process_exec")
int BPF_PROG(on_exec, struct task_struct *task, int old_pid, struct linux_binprm *bprm)
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
	process = find_cause(control, tgid, entry.start_time, entry.exec_id - 1, &event->cause);
	if (!armed) {
		entry.cause.kind = CAUSE_ANCESTOR;
		entry.cause.tgid = tgid;
		entry.cause.boot_time = entry.start_time;
	} else {
		seq = ++cpu->seq;
		entry.cause.kind = CAUSE_RECORD;
		entry.cause.boot_time = now;
		entry.cause.seq = seq;
		entry.cause.tgid = tgid;
		entry.cause.cpu = number;
		entry.cause.mnt_ns = mnt_ns_of(task);
		read_cgroups(task, &entry.cause.cgroup);
	}
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

/* The entry goes with the last thread; until the leader is reaped its tgid cannot be given anew. */
SEC("tp_btf/sched_process_exit")
int BPF_PROG(on_exit, struct task_struct *task)
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

static __always_inline int cgroup_event(struct cgroup *cgroup, const char *path, u16 kind)
{
	struct control *control = active_control();
	u32 number = bpf_get_smp_processor_id();
	struct cpu_state *cpu = bpf_map_lookup_elem(&cpus, &number);
	struct scratch *scratch = bpf_map_lookup_elem(&scratches, &number);
	struct cgroup_event *event;
	u64 now, seq;
	u64 size = sizeof(*event);
	long length;

	if (!control || !cpu || !scratch)
		return 0;
	now = bpf_ktime_get_boot_ns();
	seq = ++cpu->cgroup_seq;
	if (is_quiet(control, now))
		return 0;
	event = (void *)scratch->event;
	fill_head(&event->head, kind, number, seq, now);
	event->id = cgroup->kn->id;
	event->hierarchy = cgroup->root->hierarchy_id;
	event->path.offset = size;
	event->path.length = 0;
	if (kind == EVENT_CGROUP_MKDIR) {
		length = bpf_probe_read_kernel_str(&scratch->event[size], PATH_BYTES, path);
		if (length > 0 && length <= PATH_BYTES) {
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
	return cgroup_event(cgroup, path, EVENT_CGROUP_MKDIR);
}

SEC("tp_btf/cgroup_rmdir")
int BPF_PROG(on_cgroup_rmdir, struct cgroup *cgroup, const char *path)
{
	return cgroup_event(cgroup, path, EVENT_CGROUP_RMDIR);
}
