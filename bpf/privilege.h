/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What permits the new program more or less than its ids say: capabilities, the bits of its file,
 * and seccomp.
 */
#ifndef VCML_PRIVILEGE_H
#define VCML_PRIVILEGE_H

/* All capabilities of this kernel, set by the loader; 0: not known. */
const volatile u64 all_capabilities = 0;

/* A set of capabilities is one u64, or two u32 before kernel 6.3; the bytes are the same. */
#define READ_CAPABILITIES(cred, set) \
	(*(const u64 *)((const void *)(cred) + bpf_core_field_offset(struct cred, set)))

/*
 * By which bits of its file the process has its effective ids. The kernel sets per_clear when it
 * honours such bits, which it does not on nosuid mounts, for instance. It takes the ids back where
 * a tracer must not gain them. On an idmapped mount the owner is not the inode's, and no bit
 * counts.
 */
static __always_inline u32 gained_by(const struct linux_binprm *bprm, const struct inode *inode,
				     const struct exec_context *context)
{
	u32 mode = inode->i_mode, flags = 0;

	if (!(mode & (S_ISUID | S_ISGID)) || !bprm->per_clear)
		return 0;
	if ((mode & S_ISUID) && context->euid != context->uid && context->euid == inode->i_uid.val)
		flags |= EXEC_GAINED_SETUID;
	/* Without permission for the group to execute it, the bit once meant mandatory locking. */
	if ((mode & S_ISGID) && (mode & S_IXGRP) && context->egid != context->gid &&
	    context->egid == inode->i_gid.val)
		flags |= EXEC_GAINED_SETGID;
	return flags;
}

static __always_inline bool filters_calls(const struct task_struct *task)
{
	/* Strict mode permits no exec. */
	return bpf_core_field_exists(task->seccomp.mode) &&
	       task->seccomp.mode == SECCOMP_MODE_FILTER;
}

/* Appends the sets of capabilities, unless they are as expected: see struct exec_capabilities. */
static __always_inline u32 append_capabilities(struct scratch *scratch, u32 at,
					       const struct cred *cred)
{
	struct exec_event *event = (void *)scratch->event;
	u64 effective = event->context.capabilities;
	u32 flags = EXEC_CAPABILITIES;
	struct exec_capabilities sets = {
		.permitted = READ_CAPABILITIES(cred, cap_permitted),
		.inheritable = READ_CAPABILITIES(cred, cap_inheritable),
		.bounding = READ_CAPABILITIES(cred, cap_bset),
		.ambient = READ_CAPABILITIES(cred, cap_ambient),
	};

	if (sets.bounding != (effective ? effective : all_capabilities))
		flags |= EXEC_BOUNDED;
	if (sets.permitted == effective && !sets.inheritable && !sets.ambient &&
	    !(flags & EXEC_BOUNDED))
		return at;
	event->flags |= flags;
	for (u32 i = 0; i < 7; i++)
		scratch->event[(at + i) & (SCRATCH_BYTES - 1)] = 0;
	at = (at + 7) & (SCRATCH_BYTES - 8);
	*(struct exec_capabilities *)&scratch->event[at] = sets;
	return at + sizeof(sets);
}

#endif
