/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The environment that a new program begins with: of every exec, or of those that are not where
 * their cause ran.
 */
#ifndef VCML_ENVIRONMENT_H
#define VCML_ENVIRONMENT_H

/* Whether an exec is where its cause ran. A cause whose place is not known ran elsewhere. */
static __always_inline bool is_at_cause(const struct exec_event *event)
{
	const struct cgroup_ids *here = &event->context.cgroup, *there = &event->cause.cgroup;

	return event->context.mnt_ns == event->cause.mnt_ns && here->v2 == there->v2 &&
	       here->memory == there->memory && here->pids == there->pids &&
	       here->memory_hierarchy == there->memory_hierarchy &&
	       here->pids_hierarchy == there->pids_hierarchy;
}

/*
 * Copies one part of an environment into the event, page by page as the arguments; returns how many
 * bytes were there. A part touches two pages at most.
 */
static __always_inline u64 copy_part(struct scratch *scratch, u64 to, u64 from, u64 wanted)
{
	u64 copied = 0;

	for (u32 page = 0; page < 2; page++) {
		u64 chunk = PAGE_BYTES - ((from + copied) & (PAGE_BYTES - 1));

		if (chunk > wanted - copied)
			chunk = wanted - copied;
		barrier_var(chunk);
		if (!chunk || chunk > ENVIRONMENT_PART_BYTES)
			break;
		if (bpf_probe_read_user(&scratch->event[(to + copied) & (SCRATCH_BYTES - 1)], chunk,
					(void *)(from + copied)))
			break;
		copied += chunk;
	}
	return copied;
}

/*
 * Appends the first and the last part of an environment. It is a global function for the same
 * reason as climb(), and so that other execs do not pay for it.
 */
__noinline u32 append_environment(u32 number, u32 at, u64 start, u64 end)
{
	struct scratch *scratch = bpf_map_lookup_elem(&scratches, &number);
	u64 size = end > start ? end - start : 0, part = ENVIRONMENT_PART_BYTES, first, last;
	struct exec_environment *environment;
	struct exec_event *event;

	if (!scratch)
		return at;
	/* Above half of the ring only its size is kept. */
	if (scratch->path_wanted < PATH_BYTES)
		part = 0;
	/* The bytes before it are zero, as behind an event without it: they recur. */
	for (u32 i = 0; i < 3; i++)
		scratch->event[(at + i) & (SCRATCH_BYTES - 1)] = 0;
	at = (at + 3) & (SCRATCH_BYTES - 4);
	environment = (void *)&scratch->event[at];
	environment->size = size > 0xffffffff ? 0xffffffff : size;
	first = size < part ? size : part;
	last = size - first < part ? size - first : part;
	first = copy_part(scratch, at + sizeof(*environment), start, first);
	environment->first = first;
	last = copy_part(scratch, at + sizeof(*environment) + first, end - last, last);
	event = (void *)scratch->event;
	event->environment.offset = at;
	event->environment.length = sizeof(*environment) + first + last;
	return at + event->environment.length;
}

#endif
