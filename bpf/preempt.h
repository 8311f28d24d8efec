/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Holding the CPU while a program runs.
 *
 * Before kernel 7.0 tracepoints call programs with preemption off. Since then another process may
 * be put in a program's place; if that comes to the same program, the kernel skips it (it counts
 * this in recursion_misses), and what it would have seen is lost. So a program holds its CPU
 * itself.
 *
 * To give it back is to be preempted at once if somebody waits, still within the program. With
 * interrupts off for these few instructions that comes later, when the program has ended.
 */
#ifndef VCML_PREEMPT_H
#define VCML_PREEMPT_H

/*
 * Calls that the loader turns into calls of kernel functions. As externs libbpf 1.1 would look for
 * them in all modules of a kernel that has none, which CAP_BPF and CAP_PERFMON do not permit.
 */
#define CALL(function) asm volatile("call %0" ::"i"(function) : CLOBBERED)
#define CALL_WITH(function, pointer) \
	asm volatile("r1 = %1; call %0" ::"i"(function), "r"(pointer) : CLOBBERED)
#define CLOBBERED "r0", "r1", "r2", "r3", "r4", "r5", "memory"

/* Set by the loader, 1 where it has written the calls. */
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
