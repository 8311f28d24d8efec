/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Paths from dentries and mounts, as d_path(9) would give them from a process's own root.
 * bpf_d_path() is not on offer to these programs, so the tree is walked here, upwards, and the
 * path is written from the end of a buffer to its front.
 */
#ifndef VCML_PATH_H
#define VCML_PATH_H

enum path_limits {
	NAME_BYTES = 256,      /* NAME_MAX and the slash before it */
	CLIMB_COMPONENTS = 64, /* in one climb; */
	CLIMBS = 32,	       /* so many hold any path that fits into PATH_BYTES */
};

/*
 * The path is bytes[start .. PATH_BYTES); the rest is room for the verifier's worst case. The walk
 * keeps its variables here too: what comes from memory is just any number to the verifier, so that
 * it finds every turn of the loop alike, where registers would have it follow each possible value.
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

/* Where an event is put together, one per CPU: too large for the stack, and for a per-CPU map. */
struct scratch {
	u8 event[SCRATCH_BYTES + PAGE_BYTES]; /* the second part only calms the verifier */
	struct path_buffer path;
	volatile u64 args_wanted; /* bytes */
	/*
	 * Of mkdir and of rmdir: where the kernel can put another process in a program's place,
	 * these run in the middle of an exec's. Twice as long as need be, again for the verifier.
	 */
	u8 cgroup_event[2][2 * PATH_BYTES];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1); /* CPUs, set by the loader */
	__type(key, u32);
	__type(value, struct scratch);
} scratches SEC(".maps");

/* What a walk returns: the start of the path, and how it ended. */
enum walk_result {
	WALK_START = 0x1fff,
	WALK_TRUNCATED = 1 << 16,   /* the front is missing */
	WALK_UNREACHABLE = 1 << 17, /* not below the process's root */
	WALK_FULL = 1 << 18,	    /* the buffer is */
	WALK_MEMFD = 1 << 19,	    /* no tree above it: a memfd, its name being "memfd:..." */
};

static __always_inline bool names_memfd(const volatile struct path_buffer *buffer)
{
	const volatile u8 *name = &buffer->bytes[(buffer->start & (PATH_BYTES - 1)) + 1];

	return name[0] == 'm' && name[1] == 'e' && name[2] == 'm' && name[3] == 'f' &&
	       name[4] == 'd' && name[5] == ':';
}

/* What is read of a dentry: these fields have always stood side by side, in this order. */
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
 * Parent and name are of one moment if the sequence is even and sequence_of() is still the same
 * once the name has been read: a rename changes it before and after.
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

/* Writes "/name" before `start`; false when it does not fit. */
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
 * Goes up by at most CLIMB_COMPONENTS; returns how the walk ended, or WALK_TRUNCATED if it has not.
 * Global, so that the verifier goes through it once and not once per call, and with nothing but a
 * number for an argument, as kernel 5.10 wants it. `number` is this CPU.
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

			/* The top of all mounts, or of a detached tree, and the root not met. */
			if (above == mnt) {
				/* A tree of one file, as runc makes of itself: it has a name. */
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
			buffer->start = start; /* it is being renamed: once more */
			continue;
		}
		if (!is_whole)
			return WALK_TRUNCATED | WALK_FULL;
		/* A file without a directory: only the kernel makes those. */
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
