/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Keeps the CPU while a program runs.
 *
 * Before kernel 7.0, tracepoints call programs with preemption off. Since then, a program can be
 * preempted by another process. If that process reaches the same program on the same CPU, the
 * kernel skips the program and counts this in recursion_misses: the event is lost. So each program
 * disables preemption itself.
 *
 * Enabling preemption again preempts the program at once if another process waits, while the kernel
 * still considers the program running. With interrupts off for these few instructions, preemption
 * happens after the program has ended.
 */
#ifndef VCML_PREEMPT_H
#define VCML_PREEMPT_H

/*
 * Calls that the loader replaces by calls of kernel functions. If they were externs, libbpf 1.1
 * would search all modules of a kernel that lacks them, which CAP_BPF and CAP_PERFMON do not
 * permit.
 */
#define CALL(function) asm volatile("call %0" ::"i"(function) : CLOBBERED)
#define CALL_WITH(function, pointer) \
	asm volatile("r1 = %1; call %0" ::"i"(function), "r"(pointer) : CLOBBERED)
#define CLOBBERED "r0", "r1", "r2", "r3", "r4", "r5", "memory"

/* The loader sets it to 1 if it has replaced the calls. */
const volatile u64 holds_cpu = 0;

static __always_inline void hold_cpu(void)
{
	if (holds_cpu)
		CALL(CALL_PREEMPT_DISABLE);
}

static __always_inline void release_cpu(void)
{
	unsigned long flags;

	if (!holds_cpu)
		return;
	CALL_WITH(CALL_IRQ_SAVE, &flags);
	CALL(CALL_PREEMPT_ENABLE);
	CALL_WITH(CALL_IRQ_RESTORE, &flags);
}

#endif
