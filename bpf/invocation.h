/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Fills an exec's event: credentials, namespaces, cgroups, the executable, paths, arguments, and at
 * entries the environment. The process is in the middle of its own exec meanwhile and changes none
 * of it.
 */
#ifndef VCML_INVOCATION_H
#define VCML_INVOCATION_H

static __always_inline void read_tty(const struct task_struct *task, struct exec_event *event)
{
	struct tty_struct *tty = task->signal->tty;
	struct fdtable *fdt = task->files->fdt;
	struct file *in = NULL, *err = NULL;
	u32 device;

	if (!tty)
		return;
	bpf_probe_read_kernel_str(event->context.tty, sizeof(event->context.tty), tty->name);
	/* It is interactive if standard input and standard error are that terminal. */
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
	context->capabilities = READ_CAPABILITIES(cred, cap_effective);
	context->login_uid = NO_LOGIN_UID;
	if (bpf_core_field_exists(task->loginuid))
		context->login_uid = task->loginuid.val;
	context->session_id = BPF_CORE_READ(session, numbers[0].nr);
	if (task->atomic_flags & (1 << PFA_NO_NEW_PRIVS))
		event->flags |= EXEC_NO_NEW_PRIVS;
	if (filters_calls(task))
		event->flags |= EXEC_SECCOMP_FILTER;

	/* The process's number in the innermost namespace, and that namespace. */
	bpf_probe_read_kernel(&upid, sizeof(upid),
			      (void *)pid + bpf_core_field_offset(struct pid, numbers) +
				      (u64)pid->level * sizeof(upid));
	event->vpid = upid.nr;
	context->pid_ns = upid.ns ? BPF_CORE_READ(upid.ns, ns.inum) : 0;
	context->net_ns = nsproxy->net_ns->ns.inum;
	context->cgroup_ns = nsproxy->cgroup_ns->ns.inum;
	context->user_ns = cred->user_ns->ns.inum;
	/* They have been read for the new cause already. */
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
	/* As in d_unlinked(): no longer in the hash, and not the top of a tree. */
	if (!dentry->d_hash.pprev && dentry->d_parent != dentry)
		event->flags |= EXEC_UNLINKED;
	if (sb->s_magic == OVERLAYFS_SUPER_MAGIC) {
		/* In struct ovl_inode, __upperdentry follows vfs_inode; its BTF is in a module. */
		bpf_probe_read_kernel(&upper, sizeof(upper),
				      (void *)inode + bpf_core_type_size(struct inode));
		if (upper)
			event->flags |= EXEC_UPPER_LAYER;
	}
}

/* Appends a path to the event; the flags are those of this path. */
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
	if (length > scratch->path_wanted) {
		length = scratch->path_wanted;
		start = PATH_BYTES - length;
		result |= WALK_TRUNCATED;
	}
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

/* Returns the N of "/dev/fd/N" or "/dev/fd/N/...", or -1. */
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
 * execveat() passes its file to the rest of the kernel as /dev/fd/N[/...]. A caller of execve() can
 * also write such a path itself; the descriptor counts only if it is the file that runs.
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

/* Limits arguments and paths by the room in the ring, so that no pod can flush it with megabytes.
 */
static __always_inline void limit_sizes(struct scratch *scratch, const struct control *control)
{
	u64 used = bpf_ringbuf_query(&events, BPF_RB_AVAIL_DATA);
	u64 half = bpf_ringbuf_query(&events, BPF_RB_RING_SIZE) / 2;
	u32 limit = control->args_bytes;

	if (limit > ARGS_BYTES_MAX)
		limit = ARGS_BYTES_MAX;
	if (used > half && limit > ARGS_BYTES_CROWDED)
		limit = ARGS_BYTES_CROWDED;
	if (used > half + half / 2)
		limit = 0;
	scratch->args_wanted = limit;
	scratch->path_wanted = used > half ? PATH_BYTES_CROWDED : PATH_BYTES;
}

/*
 * Reads the arguments page by page, because bpf_probe_read_user() is all or nothing: a page that is
 * not present ends the reading and does not blank the others. As in a walk, the variables of the
 * loop are in memory for the verifier.
 */
static __always_inline u32 append_args(struct scratch *scratch, u32 at,
				       const struct task_struct *task)
{
	struct exec_event *event = (void *)scratch->event;
	volatile struct blob *args = &event->args;
	struct mm_struct *mm = task->mm;
	u64 start = mm->arg_start, end = mm->arg_end;
	u64 size = end > start ? end - start : 0;

	event->args_size = size > 0xffffffff ? 0xffffffff : size;
	if (scratch->args_wanted > size)
		scratch->args_wanted = size;
	args->offset = at;
	args->length = 0;
	for (u32 i = 0; i < ARGS_BYTES_MAX / PAGE_BYTES + 1; i++) {
		u64 length = args->length, left = scratch->args_wanted - length;
		u64 chunk = PAGE_BYTES - ((start + length) & (PAGE_BYTES - 1));
		u64 to = (args->offset + length) & (SCRATCH_BYTES - 1);

		if (chunk > left)
			chunk = left;
		barrier_var(
			chunk); /* keeps the check, which the verifier needs, from the optimizer */
		if (!chunk || chunk > PAGE_BYTES)
			break;
		if (bpf_probe_read_user(&scratch->event[to], chunk, (void *)(start + length)))
			break;
		args->length = length + chunk;
	}
	if (args->length < size)
		event->flags |= EXEC_ARGS_TRUNCATED;
	return args->offset + args->length;
}

static __always_inline u32 fill_exec(struct scratch *scratch, const struct control *control,
				     const struct cause *cause, struct task_struct *task,
				     struct linux_binprm *bprm)
{
	struct exec_event *event = (void *)scratch->event;
	const struct fs_struct *fs = task->fs;
	const struct file *file = bprm->file;
	u32 at = sizeof(*event);
	u64 asked;
	long length;

	event->ppid = task->real_parent->tgid;
	event->flags = 0;
	event->args_count = bprm->argc;
	bpf_probe_read_kernel(event->comm, sizeof(event->comm), task->comm);
	__builtin_memset(&event->object, 0, 6 * sizeof(struct blob));
	read_context(task, cause, event);
	read_executable(file, event);
	event->flags |= gained_by(bprm, file->f_inode, &event->context);
	limit_sizes(scratch, control);

	/* One byte more than is kept, and its NUL, distinguish a path of just that length from a
	 * longer one.
	 */
	length = bpf_probe_read_kernel_str(&scratch->event[at], PATH_BYTES + 2, bprm->filename);
	if (length > (long)scratch->path_wanted + 1) {
		event->flags |= EXEC_OBJECT_TRUNCATED;
		length = scratch->path_wanted + 1;
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
	at = append_args(scratch, at, task);
	at = append_capabilities(scratch, at, task->cred);
	asked = control->environment_asked;
	if (asked == ENVIRONMENT_NONE || (asked != ENVIRONMENT_EVERY && is_at_cause(event)))
		return at;
	return append_environment(bpf_get_smp_processor_id(), at, task->mm->env_start,
				  task->mm->env_end);
}

#endif
