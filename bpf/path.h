/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Makes paths from dentries and mounts, as d_path(9) does, relative to a process's own root. The
 * kernel does not allow bpf_d_path() in these programs. The walk climbs the tree, so the path is
 * written from the end of a buffer to its front.
 */
#ifndef VCML_PATH_H
#define VCML_PATH_H

enum path_limits {
	NAME_BYTES = 256,      /* NAME_MAX, and a slash before the name */
	CLIMB_COMPONENTS = 64, /* in one climb */
	CLIMBS = 32,	       /* enough for any path that fits into PATH_BYTES */
};

/*
 * The path is bytes[start .. PATH_BYTES); the remainder is room for the worst case that the
 * verifier assumes. The walk's variables are here as well: the verifier takes a value from memory
 * for any number, so that all iterations of a loop look the same to it. It would follow each
 * possible value in a register.
 */
struct path_buffer {
	u8 bytes[PATH_BYTES + NAME_BYTES];
	struct dentry *dentry;
	struct vfsmount *vfsmnt;
	struct dentry *mnt_root;
	struct dentry *root_dentry;
	struct vfsmount *root_mnt;
	u64 start;
};

/* The memory in which an event is built, one per CPU. It is too large for the stack and for a
 * per-CPU map.
 */
struct scratch {
	u8 event[SCRATCH_BYTES + PAGE_BYTES]; /* the second part is for the verifier only */
	struct path_buffer path;
	volatile u64 args_wanted; /* bytes */
	volatile u64 path_wanted; /* bytes */
	/*
	 * For mkdir and rmdir, which may interrupt an exec's program on kernels that can preempt
	 * programs. Twice as long as necessary, again for the verifier.
	 */
	u8 cgroup_event[2][2 * PATH_BYTES];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1); /* CPUs, set by the loader */
	__type(key, u32);
	__type(value, struct scratch);
} scratches SEC(".maps");

/* A walk returns the start of the path and these flags. */
enum walk_result {
	WALK_START = 0x1fff,
	WALK_TRUNCATED = 1 << 16,   /* the front is missing */
	WALK_UNREACHABLE = 1 << 17, /* not below the process's root */
	WALK_FULL = 1 << 18,	    /* the buffer is full */
	WALK_MEMFD = 1 << 19,	    /* a memfd: no tree above it, and a name "memfd:..." */
};

static __always_inline bool names_memfd(const volatile struct path_buffer *buffer)
{
	const volatile u8 *name = &buffer->bytes[(buffer->start & (PATH_BYTES - 1)) + 1];

	return name[0] == 'm' && name[1] == 'e' && name[2] == 'm' && name[3] == 'f' &&
	       name[4] == 'd' && name[5] == ':';
}

/* The fields of a dentry that are read; every kernel has them side by side in this order. */
struct dentry_head {
	u32 flags;
	u32 sequence;
	void *hashes[2];
	struct dentry *parent;
	u32 hash;
	u32 len;
	const unsigned char *name;
};

static __always_inline u32 sequence_of(const struct dentry *dentry)
{
	return BPF_CORE_READ(dentry, d_seq.seqcount.sequence);
}

/*
 * A rename changes the sequence before and after. Parent and name belong together if the sequence
 * is even and sequence_of() still returns it after the name has been read.
 */
static __always_inline void read_dentry(const struct dentry *dentry, struct dentry_head *head)
{
	const u32 at = bpf_core_field_offset(struct dentry, d_parent) - 24;

	if (bpf_core_field_offset(struct dentry, d_seq.seqcount.sequence) == at + 4 &&
	    bpf_core_field_offset(struct dentry, d_name.len) == at + 36 &&
	    bpf_core_field_offset(struct dentry, d_name.name) == at + 40) {
		bpf_probe_read_kernel(head, sizeof(*head), (void *)dentry + at);
		return;
	}
	head->sequence = sequence_of(dentry);
	head->parent = BPF_CORE_READ(dentry, d_parent);
	head->len = BPF_CORE_READ(dentry, d_name.len);
	head->name = BPF_CORE_READ(dentry, d_name.name);
}

static __always_inline bool is_regular(const struct dentry *dentry)
{
	return (BPF_CORE_READ(dentry, d_inode, i_mode) & S_IFMT) == S_IFREG;
}

/* Writes "/name" before `start`; false: it does not fit. */
static __always_inline bool prepend(volatile struct path_buffer *buffer, u64 len,
				    const unsigned char *name)
{
	u64 start = buffer->start;

	if (len >= NAME_BYTES || start > PATH_BYTES || start < len + 1)
		return false;
	start = (start - len - 1) & (PATH_BYTES - 1);
	buffer->bytes[start] = '/';
	bpf_probe_read_kernel((void *)&buffer->bytes[start + 1], len & (NAME_BYTES - 1), name);
	buffer->start = start;
	return true;
}

static __always_inline void enter_mount(volatile struct path_buffer *buffer,
					struct vfsmount *vfsmnt, struct dentry *dentry)
{
	buffer->vfsmnt = vfsmnt;
	buffer->dentry = dentry;
	buffer->mnt_root = BPF_CORE_READ(vfsmnt, mnt_root);
}

/*
 * Climbs at most CLIMB_COMPONENTS and returns how the walk ended, or WALK_TRUNCATED if it has not
 * ended. It is a global function so that the verifier checks it once and not once per call; kernel
 * 5.10 allows such a function only scalar arguments. `number` is this CPU's.
 */
__noinline u32 climb(u32 number)
{
	struct scratch *scratch = bpf_map_lookup_elem(&scratches, &number);
	volatile struct path_buffer *buffer;

	if (!scratch)
		return WALK_TRUNCATED;
	buffer = &scratch->path;
	for (u32 i = 0; i < CLIMB_COMPONENTS; i++) {
		struct dentry *dentry = buffer->dentry;
		struct dentry_head head = {};
		struct vfsmount *vfsmnt = buffer->vfsmnt;
		u64 start;
		bool is_whole;

		if (dentry == buffer->root_dentry && vfsmnt == buffer->root_mnt)
			return 0;
		if (dentry == buffer->mnt_root) {
			struct mount *mnt =
				(void *)vfsmnt - bpf_core_field_offset(struct mount, mnt);
			struct mount *above = BPF_CORE_READ(mnt, mnt_parent);

			/* The top of all mounts or of a detached tree; the root was not on the way.
			 */
			if (above == mnt) {
				/* A tree of one file, which runc makes of itself, has a name. */
				read_dentry(dentry, &head);
				if (buffer->start == PATH_BYTES && is_regular(dentry))
					prepend(buffer, head.len, head.name);
				return WALK_UNREACHABLE;
			}
			enter_mount(buffer,
				    (void *)above + bpf_core_field_offset(struct mount, mnt),
				    BPF_CORE_READ(mnt, mnt_mountpoint));
			continue;
		}
		read_dentry(dentry, &head);
		start = buffer->start;
		is_whole = prepend(buffer, head.len, head.name);
		if ((head.sequence & 1) || sequence_of(dentry) != head.sequence) {
			buffer->start = start; /* it is being renamed; try once more */
			continue;
		}
		if (!is_whole)
			return WALK_TRUNCATED | WALK_FULL;
		/* Only the kernel makes a file without a directory. */
		if (head.parent == dentry)
			return names_memfd(buffer) ? WALK_MEMFD : WALK_UNREACHABLE;
		buffer->dentry = head.parent;
	}
	return WALK_TRUNCATED;
}

static __always_inline u32 walk(struct path_buffer *buffer, const struct path *path,
				const struct path *root)
{
	u32 how = WALK_TRUNCATED;

	buffer->start = PATH_BYTES;
	buffer->root_dentry = BPF_CORE_READ(root, dentry);
	buffer->root_mnt = BPF_CORE_READ(root, mnt);
	enter_mount(buffer, BPF_CORE_READ(path, mnt), BPF_CORE_READ(path, dentry));
	for (u32 i = 0; i < CLIMBS && how == WALK_TRUNCATED; i++)
		how = climb(bpf_get_smp_processor_id());
	if (!(how & WALK_TRUNCATED) && buffer->start == PATH_BYTES) {
		buffer->bytes[PATH_BYTES - 1] = '/';
		buffer->start = PATH_BYTES - 1;
	}
	return (buffer->start & WALK_START) | how;
}

#endif
