// SPDX-License-Identifier: Apache-2.0
// The programs and maps of bpf/: it attaches or resumes them, and keeps or removes them.
#pragma once

#include "../bpf/events.h"
#include "handle.h"

#include <bpf/bpf.h>
#include <map>
#include <string>
#include <vector>

struct HookOptions {
	std::string object_path; // the compiled bpf/exec.bpf.c
	std::string pin_dir;	 // a folder on a bpffs
	std::string holder;	 // name of this agent, for a second one's message
	uint64_t ring_bytes;
	uint32_t table_entries; // 0: as many as the kernel allows processes, at most 262,144
	uint32_t args_bytes;
	uint64_t quiet_after_ns;
	uint64_t environment;	 // enum environment_asked
	bool mount_bpffs = true; // whether to mount one at the usual place if there is none
	bool attach;		 // false: only take over an existing hook
};

enum class HookState { attached, resumed, upgraded };

struct ProgramStatistics {
	std::string name;
	uint64_t run_count;   // counted only while kernel.bpf_stats_enabled is 1
	uint64_t run_time_ns; // the same
	uint64_t recursion_misses;
};

class KernelSide {
public:
	// Takes the lock, then attaches, or takes over what is pinned. Throws HookError.
	explicit KernelSide(const HookOptions &options);

	// Starts the recording of a newly attached hook; it has no effect on another.
	void arm();
	// Ends the recording; no further event enters the ring.
	void disarm();
	// Removes programs, maps and pins, and returns their names.
	std::vector<std::string> detach();
	// Removes whatever is pinned there, readable or not.
	static std::vector<std::string> remove(const std::string &pin_dir);

	HookState state() const { return state_; }
	// Programs that had been detached by others; execs of that time are unknown.
	const std::vector<std::string> &missing() const { return missing_; }
	// Pins again what others have unpinned, and returns its names. Nothing was detached
	// meanwhile, because this object holds links and maps. Throws HookError if it cannot.
	std::vector<std::string> restore_pins();
	control *control_page() const { return control_.as<control>(); }
	cpu_state *cpu_states() const { return cpus_.as<cpu_state>(); }
	uint32_t cpu_count() const { return cpu_count_; }
	uint32_t table_entries() const { return table_entries_; }
	uint64_t ring_bytes() const { return ring_bytes_; }
	int ring_fd() const { return held("events"); }
	std::vector<ProgramStatistics> programs() const;
	// The number of processes that were ever added to the table of causes.
	uint64_t entered() const;
	// Reads the records in the table of causes as they are at one moment. False: the table
	// cannot be read, or processes were added meanwhile, so that some may be missing.
	bool read_causes(std::vector<cause> *found) const;
	// Finds a cgroup in the table; false: the table does not have it, or no longer.
	bool find_cgroup(const cgroup_key &key, cgroup_name *name) const;

private:
	KernelSide() = default;
	void lock();
	bool take_over();
	bool hold_map(const char *name, uint32_t value_size, bpf_map_info *info);
	bool hold_program(const std::string &name);
	void load(bool reuse);
	void unlink_other_generations();
	void follow_pin_dir();
	void map_shared();
	void leave();
	std::string pin(const std::string &name) const { return options_.pin_dir + "/" + name; }
	// A descriptor of what has this pin; -1: nothing.
	int held(const std::string &name) const;

	HookOptions options_;
	HookState state_ = HookState::attached;
	std::vector<std::string> missing_;
	std::vector<std::string> pinned_; // the agent's names in pin_dir
	uint64_t object_hash_ = 0;
	uint64_t generation_ = 1;
	bool mounted_ = false;
	uint32_t cpu_count_ = 0;
	uint32_t table_entries_ = 0;
	uint64_t ring_bytes_ = 0;
	Fd dir_;
	// All that is pinned, by the names of the pins. A link exists as long as its pin or a
	// descriptor does.
	std::map<std::string, Fd> held_;
	Mapping control_, cpus_;
};
