// SPDX-License-Identifier: Apache-2.0
#include "realtime.h"

#include "error.h"

#include <bpf/btf.h>
#include <fstream>
#include <memory>
#include <sys/utsname.h>

// All of these kernels name it in their version, and those with the patches of before 6.12 in a
// file as well.
static bool is_realtime()
{
	struct utsname kernel = {};
	std::ifstream file("/sys/kernel/realtime");
	char flag = '0';

	uname(&kernel);
	return strstr(kernel.version, "PREEMPT_RT") || strstr(kernel.version, "PREEMPT RT") ||
	       strstr(kernel.version, "PREEMPT_{RT") || (file >> flag && flag == '1');
}

// The name of the type of the lock, without typedefs; empty: this kernel's BTF has none.
static std::string ring_lock_type()
{
	const std::unique_ptr<btf, decltype(&btf__free)> kernel(btf__load_vmlinux_btf(), btf__free);
	const int id =
	    kernel ? btf__find_by_name_kind(kernel.get(), "bpf_ringbuf", BTF_KIND_STRUCT) : 0;

	if (id <= 0)
		return "";
	const btf_type *ring = btf__type_by_id(kernel.get(), id);
	const btf_member *member = btf_members(ring);
	for (int i = 0; i < btf_vlen(ring); i++, member++) {
		if (strcmp(btf__name_by_offset(kernel.get(), member->name_off), "spinlock"))
			continue;
		const btf_type *type = btf__type_by_id(kernel.get(), member->type);
		while (btf_is_typedef(type) || btf_is_mod(type))
			type = btf__type_by_id(kernel.get(), type->type);
		return btf__name_by_offset(kernel.get(), type->name_off);
	}
	return "";
}

// With PREEMPT_RT, `struct spinlock` is a mutex. Tracepoints call programs with preemption
// disabled, where a process that sleeps for it corrupts the scheduler. The ring buffer has had such
// a lock until 6.12 (8b62645b09f8, "bpf: Use raw_spinlock_t in ringbuf", which stable kernels may
// have), then a raw_spinlock, and from 6.15 on an rqspinlock. The maps that the programs use are
// preallocated, and their locks are raw ones in every kernel from 5.10 on.
void check_ring_lock()
{
	if (!is_realtime())
		return;
	const std::string type = ring_lock_type();
	if (type == "raw_spinlock" || type == "rqspinlock")
		return;
	throw HookError(
	    "KERNEL_UNSUPPORTED",
	    "this PREEMPT_RT kernel would sleep for the lock of its BPF ring buffer (" +
		(type.empty() ? "unknown" : "struct " + type) +
		") where it must not; use one from 6.12 on, or a kernel without PREEMPT_RT");
}
