// SPDX-License-Identifier: Apache-2.0
// The pins of maps, programs and links: their names, and what may stand under these names.
#pragma once

#include "handle.h"

#include <bpf/bpf.h>
#include <string>
#include <vector>

// Every map that is pinned.
inline constexpr const char *MAPS[] = {"control_page", "causes", "cpus",
				       "scratches",    "events", "cgroups"};

bool is_map_name(const std::string &name);

// The pin of the link that attaches a program of a generation.
std::string link_pin(const char *program, uint64_t generation);

// The pin of the program itself, through which its counters can be read without CAP_SYS_ADMIN.
std::string program_pin(const char *program, uint64_t generation);

// Lists the pins in an open folder that have one of the agent's names. Throws HOOK_PINS_FOREIGN if
// something else has one.
std::vector<std::string> list_pins(const Fd &dir, const std::string &pin_dir);

// Opens a pinned map and checks the size of its values, unless value_size is 0. Returns an empty Fd
// if there is none. Throws HookError.
Fd open_pinned_map(const std::string &path, uint32_t value_size, bpf_map_info *info);

// Whether two descriptors of the same kind, map, program or link, are of the same object.
bool is_same_object(const Fd &one, const Fd &other);
