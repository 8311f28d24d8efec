// SPDX-License-Identifier: Apache-2.0
// What the programs and maps of an attached hook hold; it changes none of them.
#include "kernel_side.h"

#include "load.h"
#include "pins.h"

#include <bpf/bpf.h>
#include <cerrno>

// Entries of the table of causes that are read at once.
static const uint32_t TABLE_BATCH = 4096;

uint64_t KernelSide::entered() const
{
	uint64_t sum = 0;

	for (uint32_t cpu = 0; cpu < cpu_count_; cpu++)
		sum += __atomic_load_n(&cpu_states()[cpu].entered, __ATOMIC_SEQ_CST);
	return sum;
}

// The kernel reads the table bucket by bucket. A process that is added to a bucket which was read
// already is missing, although its parent, whose cause it has, may be gone when its own bucket is
// read.
bool KernelSide::read_causes(std::vector<cause> *found) const
{
	std::vector<uint32_t> keys(TABLE_BATCH);
	std::vector<process> processes(TABLE_BATCH);
	const uint64_t before = entered();
	uint32_t place = 0, count, *from = nullptr;
	int error;

	do {
		count = TABLE_BATCH;
		error = bpf_map_lookup_batch(held("causes"), from, &place, keys.data(),
					     processes.data(), &count, nullptr);
		if (error && errno != ENOENT) // it is over
			return false;
		for (uint32_t n = 0; n < count; n++)
			if (processes[n].cause.kind == CAUSE_RECORD)
				found->push_back(processes[n].cause);
		from = &place;
	} while (!error);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return entered() == before;
}

bool KernelSide::find_cgroup(const cgroup_key &key, cgroup_name *name) const
{
	return held("cgroups") >= 0 && bpf_map_lookup_elem(held("cgroups"), &key, name) == 0;
}

std::vector<ProgramStatistics> KernelSide::programs() const
{
	std::vector<ProgramStatistics> all;

	for (const char *program : PROGRAMS) {
		const int fd = held(program_pin(program, generation_));
		bpf_prog_info info = {};
		uint32_t size = sizeof(info);

		if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &size))
			continue;
		all.push_back({program, info.run_cnt, info.run_time_ns, info.recursion_misses});
	}
	return all;
}
