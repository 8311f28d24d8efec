/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The table of cgroups: it names the place of an exec, whichever agent reads the exec and whenever.
 *
 * An entry is written when a cgroup is created, and once more when it is removed, so that it exists
 * for as long as an exec in that cgroup can wait in the ring. Nothing depends on the event of the
 * creation, which may be lost, nor on the agent that read it, which may have been killed. The map
 * keeps the entries that were written last. A cgroup that exists but has no entry any more is found
 * in the file system.
 */
#ifndef VCML_CGROUPS_H
#define VCML_CGROUPS_H

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

static __always_inline void read_place(const struct task_struct *task, struct cause *cause)
{
	cause->mnt_ns = mnt_ns_of(task);
	read_cgroups(task, &cause->cgroup);
}

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH); /* preallocated, like every map here */
	__uint(max_entries, 8192);
	__type(key, struct cgroup_key);
	__type(value, struct cgroup_name);
} cgroups SEC(".maps");

static __always_inline bool has_controller(const struct cgroup_root *root, u32 subsys)
{
	return root->subsys_mask & (1u << subsys);
}

/* Whether it is in one of the hierarchies that events name, see read_cgroups(). */
static __always_inline bool is_named(const struct cgroup *cgroup)
{
	const struct cgroup_root *root = cgroup->root;

	if (root->hierarchy_id == 0)
		return true;
	if (bpf_core_enum_value_exists(enum cgroup_subsys_id, memory_cgrp_id) &&
	    has_controller(root, bpf_core_enum_value(enum cgroup_subsys_id, memory_cgrp_id)))
		return true;
	return bpf_core_enum_value_exists(enum cgroup_subsys_id, pids_cgrp_id) &&
	       has_controller(root, bpf_core_enum_value(enum cgroup_subsys_id, pids_cgrp_id));
}

static __always_inline struct cgroup_key key_of(const struct cgroup *cgroup)
{
	return (struct cgroup_key){ .id = cgroup->kn->id, .hierarchy = cgroup->root->hierarchy_id };
}

/*
 * Whether the cgroup above belongs to a user, who can then make others in it. A cgroup belongs to
 * whoever made it, or was given to somebody by root.
 */
static __always_inline bool is_delegated(const struct cgroup *cgroup)
{
	/* Without attributes, which are made for those that do not belong to root, this reads 0. */
	return BPF_CORE_READ(cgroup, self.parent, cgroup, kn, iattr, ia_uid.val) != 0;
}

/*
 * Who makes a cgroup now. All container runtimes of the host have CAP_SYS_ADMIN: they mount.
 * Whoever has it in the initial user namespace could as well replace these programs.
 */
static __always_inline u8 maker_of(const struct cgroup *cgroup)
{
	const struct task_struct *task = (void *)bpf_get_current_task();
	const struct cred *cred = BPF_CORE_READ(task, cred);
	u64 capabilities = 0;

	if (is_delegated(cgroup) || BPF_CORE_READ(cred, user_ns, level) != 0)
		return MAKER_OTHER;
	bpf_probe_read_kernel(&capabilities, sizeof(capabilities), &cred->cap_effective);
	return capabilities & (1ULL << CAP_SYS_ADMIN) ? MAKER_PRIVILEGED : MAKER_OTHER;
}

/* Who made a cgroup that is removed now, by somebody else perhaps. */
static __always_inline u8 kept_maker(const struct cgroup *cgroup)
{
	struct cgroup_key key = key_of(cgroup);
	const struct cgroup_name *entry = bpf_map_lookup_elem(&cgroups, &key);

	if (entry)
		return entry->name[CGROUP_NAME_BYTES - 1];
	return is_delegated(cgroup) ? MAKER_OTHER : MAKER_UNKNOWN;
}

/* The parent is the cgroup of the parent's own state, which the kernel frees after its children's.
 */
static __always_inline void keep_name(const struct cgroup *cgroup, u8 maker)
{
	struct cgroup_key key = key_of(cgroup);
	struct cgroup_subsys_state *parent = cgroup->self.parent;
	struct cgroup_name entry = {};
	long bytes;

	if (parent)
		entry.parent = parent->cgroup->kn->id;
	bytes = bpf_probe_read_kernel_str(entry.name, sizeof(entry.name), cgroup->kn->name);
	if (bytes < CGROUP_NAME_BYTES)
		entry.name[CGROUP_NAME_BYTES - 1] = maker;
	bpf_map_update_elem(&cgroups, &key, &entry, BPF_ANY);
}

#endif
