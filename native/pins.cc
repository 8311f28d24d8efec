// SPDX-License-Identifier: Apache-2.0
#include "pins.h"

#include "bpffs.h"
#include "error.h"
#include "load.h"

#include <algorithm>
#include <dirent.h>
#include <fcntl.h>
#include <iterator>
#include <unistd.h>

static const std::string PROGRAM_PIN = "program_";

static bool is_program_pin(const std::string &name)
{
	return name.compare(0, PROGRAM_PIN.size(), PROGRAM_PIN) == 0;
}

bool is_map_name(const std::string &name)
{
	return std::find(std::begin(MAPS), std::end(MAPS), name) != std::end(MAPS);
}

std::string link_pin(const char *program, uint64_t generation)
{
	return std::string(program) + "_" + std::to_string(generation);
}

std::string program_pin(const char *program, uint64_t generation)
{
	return PROGRAM_PIN + link_pin(program, generation);
}

// Whether a pin of the agent, of any generation, can have this name.
static bool is_ours(const std::string &name)
{
	if (is_program_pin(name))
		return is_ours(name.substr(PROGRAM_PIN.size()));
	if (is_map_name(name))
		return true;
	for (const char *program : PROGRAMS) {
		const std::string prefix = std::string(program) + "_";

		if (name.compare(0, prefix.size(), prefix) == 0 && name.size() > prefix.size() &&
		    name.find_first_not_of("0123456789", prefix.size()) == std::string::npos)
			return true;
	}
	return false;
}

// Throws unless a pin under one of these names is also of the right kind: a map of that name, a
// program, or a link of a tracepoint.
static void refuse_foreign(const std::string &path, const std::string &name)
{
	const bool map = is_map_name(name);
	Fd fd(bpf_obj_get(path.c_str()));
	const bool program = is_program_pin(name);
	bpf_map_info map_info = {};
	bpf_link_info link_info = {};
	uint32_t size = map ? sizeof(map_info) : sizeof(link_info);
	char kind[64] = {};
	bool ours = false;

	if (!fd && (errno == EPERM || errno == EACCES))
		throw_not_permitted("open what is pinned at " + path);
	// "anon_inode:bpf-map", "bpf-prog" or "bpf_link"; the kernel shows the kind nowhere else
	if (fd && readlink(("/proc/self/fd/" + std::to_string(fd.get())).c_str(), kind,
			   sizeof(kind) - 1) > 0) {
		if (map && strstr(kind, "map"))
			ours = !bpf_obj_get_info_by_fd(fd.get(), &map_info, &size) &&
			       name == map_info.name;
		else if (program)
			ours = strstr(kind, "prog") != nullptr;
		else if (!map && strstr(kind, "link"))
			ours = !bpf_obj_get_info_by_fd(fd.get(), &link_info, &size) &&
			       link_info.type == BPF_LINK_TYPE_RAW_TRACEPOINT;
	}
	if (!ours)
		throw HookError("HOOK_PINS_FOREIGN",
				path + " is not a " + (map ? "map" : "program") +
				    " of this agent; remove it or choose another --pin-dir");
}

std::vector<std::string> list_pins(const Fd &dir, const std::string &pin_dir)
{
	std::vector<std::string> names;
	DIR *listing = fdopendir(dup(dir.get()));

	if (!listing)
		throw HookError("HOOK_SYSTEM", "cannot list " + pin_dir + ": " + reason(errno));
	rewinddir(listing);
	while (const dirent *entry = readdir(listing))
		if (is_ours(entry->d_name))
			names.push_back(entry->d_name);
	closedir(listing);
	for (const std::string &name : names) {
		struct stat status;

		// What was pinned by others stays in their hands.
		if (fstatat(dir.get(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) ||
		    !is_own(status))
			throw HookError("HOOK_PINS_UNSAFE",
					pin_dir + "/" + name +
					    " belongs to another user; remove it");
		refuse_foreign(pin_dir + "/" + name, name);
	}
	return names;
}

Fd open_pinned_map(const std::string &path, uint32_t value_size, bpf_map_info *info)
{
	uint32_t size = sizeof(*info);

	memset(info, 0, sizeof(*info));
	// This comes first, because bpf_obj_get() reports a missing permission before a missing
	// pin.
	if (access(path.c_str(), F_OK) && errno == ENOENT)
		return Fd();
	Fd fd(bpf_obj_get(path.c_str()));
	if (!fd && (errno == EPERM || errno == EACCES))
		throw_not_permitted("open what is pinned at " + path);
	if (!fd || bpf_obj_get_info_by_fd(fd.get(), info, &size))
		throw HookError("HOOK_SYSTEM", "cannot open " + path + ": " + reason(errno));
	if (value_size && info->value_size != value_size)
		throw HookError(
		    "HOOK_PINS_INCOMPATIBLE",
		    path + " has another layout than this agent knows; run the agent that made it, "
			   "or remove it with: vcml-agent detach --discard");
	return fd;
}

bool is_same_object(const Fd &one, const Fd &other)
{
	// The information about each kind begins with its type and its id.
	struct {
		uint32_t type, id;
	} a = {}, b = {};
	uint32_t a_size = sizeof(a), b_size = sizeof(b);

	return !bpf_obj_get_info_by_fd(one.get(), &a, &a_size) &&
	       !bpf_obj_get_info_by_fd(other.get(), &b, &b_size) && a.id == b.id;
}
