/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The table of causes: the record that caused each process.
 *
 * An entry is made at fork, replaced at exec and removed when the last thread has ended. The kernel
 * may skip a program; two values then prevent a link to the wrong record. start_boottime
 * distinguishes the owner of a reused tgid from an earlier one. self_exec_id, which the kernel
 * increments at every exec and copies at every fork, reveals an exec that was not seen.
 */
#ifndef VCML_LINEAGE_H
#define VCML_LINEAGE_H

struct {
	__uint(type,
	       BPF_MAP_TYPE_HASH);  /* preallocated, so that an update never waits for memory */
	__uint(max_entries, 32768); /* set by the loader */
	__type(key, u32);
	__type(value, struct process);
} causes SEC(".maps");

/*
 * The cause of a process without an entry. It predates the hook if it began before arming: every
 * later process got an entry at its fork, unless the table was full. Once an exec did not fit into
 * the table, even a process that predates the hook may have executed something that is not known
 * here.
 */
static __always_inline void unknown_cause(const struct control *control,
					  const struct task_struct *task, u64 start_time,
					  struct cause *cause)
{
	cause->kind = CAUSE_UNTRACKED;
	if (start_time < control->armed_at && !control->overflowed_at) {
		cause->kind = CAUSE_ANCESTOR;
		cause->tgid = task->tgid;
		cause->boot_time = start_time;
		read_place(task, cause);
	}
}

/* Finds the cause of a task's process, which must have made the number of execs in exec_id. */
static __always_inline struct process *find_cause(const struct control *control,
						  const struct task_struct *task, u64 exec_id,
						  struct cause *cause)
{
	u32 tgid = task->tgid;
	u64 start_time = task->group_leader->start_boottime;
	struct process *process = bpf_map_lookup_elem(&causes, &tgid);

	if (!process || process->start_time != start_time) {
		unknown_cause(control, task, start_time, cause);
		return NULL;
	}
	if (process->exec_id == exec_id)
		*cause = process->cause;
	else
		cause->kind = CAUSE_UNTRACKED;
	return process;
}

#endif
