// SPDX-License-Identifier: Apache-2.0
// Loading the BPF object with libbpf, and naming what a kernel lacks when it cannot be loaded.
#pragma once

#include "handle.h"

#include <cstdint>
#include <map>
#include <string>

struct bpf_object;

// Every program of bpf/exec.bpf.c, in the order of attaching: exit first, so that no entry is made
// whose end could be missed.
inline constexpr const char *PROGRAMS[] = {"on_exit", "on_exec", "on_fork", "on_cgroup_mkdir",
					   "on_cgroup_rmdir"};

struct LoadOptions {
	std::string object_path;
	uint64_t ring_bytes;
	uint32_t table_entries;
	uint32_t cpu_count;
	uint64_t generation;
	std::map<std::string, int> reuse = {}; // maps that are there already, by name
};

class LoadedObject {
public:
	explicit LoadedObject(const LoadOptions &options);
	~LoadedObject();
	LoadedObject(const LoadedObject &) = delete;

	Fd map(const char *name) const; // a descriptor of its own
	uint32_t max_entries(const char *name) const;
	void pin_map(const char *name, const std::string &path) const;
	// Attaches for as long as the pin of the link is there; the other is the program's own.
	void attach(const char *program, const std::string &link_path,
		    const std::string &program_path) const;

private:
	bpf_object *object_ = nullptr;
};

// Numbers of CPUs that there can be.
uint32_t count_cpus();

// Throws KERNEL_UNSUPPORTED when the kernel cannot do it whatever the permissions.
void check_kernel();

// Throws HOOK_PERMISSION, naming the capabilities that are missing.
[[noreturn]] void throw_not_permitted(const std::string &what);
