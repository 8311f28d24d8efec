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

/* The parent is the cgroup of the parent's own state, which the kernel frees after its children's.
 */
static __always_inline void keep_name(const struct cgroup *cgroup)
{
	struct cgroup_key key = { .id = cgroup->kn->id, .hierarchy = cgroup->root->hierarchy_id };
	struct cgroup_subsys_state *parent = cgroup->self.parent;
	struct cgroup_name entry = {};

	if (!is_named(cgroup))
		return;
	if (parent)
		entry.parent = parent->cgroup->kn->id;
	bpf_probe_read_kernel_str(entry.name, sizeof(entry.name), cgroup->kn->name);
	bpf_map_update_elem(&cgroups, &key, &entry, BPF_ANY);
}

#endif
