// SPDX-License-Identifier: Apache-2.0
// Loads the BPF object with libbpf, and names what a kernel lacks if it cannot be loaded.
#pragma once

#include "handle.h"

#include <cstdint>
#include <map>
#include <string>

struct bpf_object;

// All programs of bpf/exec.bpf.c in the order in which they are attached. Exit comes first, so that
// no entry is made whose end could be missed.
inline constexpr const char *PROGRAMS[] = {"on_exit", "on_exec", "on_fork", "on_cgroup_mkdir",
					   "on_cgroup_rmdir"};

struct LoadOptions {
	std::string object_path;
	uint64_t ring_bytes;
	uint32_t table_entries;
	uint32_t cpu_count;
	uint64_t generation;
	std::map<std::string, int> reuse = {}; // descriptors of existing maps, by name
};

class LoadedObject {
public:
	explicit LoadedObject(const LoadOptions &options);
	~LoadedObject();
	LoadedObject(const LoadedObject &) = delete;

	Fd map(const char *name) const; // returns a new descriptor
	uint32_t max_entries(const char *name) const;
	void pin_map(const char *name, const std::string &path) const;
	Fd program(const char *name) const; // returns a new descriptor
	// Attaches a program for as long as the pin of its link, or the returned descriptor of it,
	// exists. The other pin is the program's own.
	Fd attach(const char *program, const std::string &link_path,
		  const std::string &program_path) const;

private:
	bpf_object *object_ = nullptr;
};

// The number of possible CPUs.
uint32_t count_cpus();

// Throws KERNEL_UNSUPPORTED if this kernel cannot run the programs, whatever the permissions are.
void check_kernel();

// Throws HOOK_PERMISSION and names the missing capabilities.
[[noreturn]] void throw_not_permitted(const std::string &what);
