// SPDX-License-Identifier: Apache-2.0
#include "load.h"

#include "error.h"
#include "preempt.h"

#include <algorithm>
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <csignal>
#include <cstdio>
#include <fcntl.h>
#include <fstream>
#include <linux/capability.h>
#include <sys/resource.h>
#include <sys/utsname.h>

static const uint32_t TABLE_ENTRIES_MAX = 262144;
// The number of cgroups that are kept in any case, and the number of entries that each CPU may hold
// back in an LRU map (twice LOCAL_FREE_TARGET of the kernel's bpf_lru_list.c).
static const uint32_t CGROUPS_KEPT = 8192;
static const uint32_t CGROUPS_HELD_BY_CPU = 256;
static const char BTF_PATH[] = "/sys/kernel/btf/vmlinux";

// libbpf reports through one callback for the whole process, which stores the text here.
static thread_local std::string last_words;

static int keep_words(enum libbpf_print_level level, const char *format, va_list args)
{
	va_list again;

	if (level != LIBBPF_WARN)
		return 0;
	va_copy(again, args);
	const int length = vsnprintf(nullptr, 0, format, again);
	va_end(again);
	// A verifier log is one message, whose end says why.
	std::string line(static_cast<size_t>(std::max(length, 0)) + 1, '\0');
	vsnprintf(line.data(), line.size(), format, args);
	line.pop_back();
	last_words += line;
	if (last_words.size() > 4096)
		last_words.erase(0, last_words.size() - 4096);
	return 0;
}

// The last message of libbpf that is a sentence and not a line of a verifier log.
static std::string explanation()
{
	const size_t at = last_words.rfind("libbpf: ");
	std::string words = at == std::string::npos ? "" : last_words.substr(at + 8);

	while (!words.empty() && words.back() == '\n')
		words.pop_back();
	std::replace(words.begin(), words.end(), '\n', ' ');
	return words.empty() ? "" : " (libbpf: " + words + ")";
}

uint32_t count_cpus()
{
	const int count = libbpf_num_possible_cpus();

	if (count < 1)
		throw HookError("HOOK_SYSTEM", "cannot count the CPUs: " + reason(-count));
	return count;
}

void check_kernel()
{
	if (access(BTF_PATH, F_OK))
		throw HookError(
		    "KERNEL_UNSUPPORTED",
		    std::string("this kernel has no BTF: ") + BTF_PATH +
			" is missing; use a kernel from 5.10 on, built with CONFIG_DEBUG_INFO_BTF=y, "
			"and mount /sys");
}

// Before 5.11, BPF maps count as locked memory; libbpf raises that limit if it may.
static bool is_locked_memory_short()
{
	struct rlimit limit = {};
	struct utsname kernel = {};
	unsigned major = 0, minor = 0;

	getrlimit(RLIMIT_MEMLOCK, &limit);
	uname(&kernel);
	return sscanf(kernel.release, "%u.%u", &major, &minor) == 2 &&
	       (major < 5 || (major == 5 && minor < 11)) && limit.rlim_cur != RLIM_INFINITY;
}

void throw_not_permitted(const std::string &what)
{
	static const uint64_t ADMIN = 1ull << CAP_SYS_ADMIN;
	const bool locked_memory = is_locked_memory_short();
	const struct {
		uint64_t any_of;
		const char *name;
		bool needed;
	} capabilities[] = {
	    {1ull << CAP_BPF | ADMIN, "CAP_BPF", true},
	    {1ull << CAP_PERFMON | ADMIN, "CAP_PERFMON", true},
	    {1ull << CAP_SYS_RESOURCE, "CAP_SYS_RESOURCE", locked_memory},
	};
	std::ifstream status("/proc/self/status");
	std::string line, missing;
	uint64_t effective = 0;

	while (std::getline(status, line))
		if (line.compare(0, 7, "CapEff:") == 0)
			effective = std::stoull(line.substr(7), nullptr, 16);
	for (const auto &[any_of, name, needed] : capabilities)
		if (needed && !(effective & any_of))
			missing += std::string(missing.empty() ? "" : " and ") + name;
	throw HookError(
	    "HOOK_PERMISSION",
	    "not permitted to " + what + ": " +
		(missing.empty() ? "the capabilities are there, so a security module, a seccomp "
				   "profile or a user namespace forbids it" +
				       explanation()
				 : missing + " missing; run as root with these capabilities") +
		(locked_memory ? " (before kernel 5.11 BPF maps count as locked memory: "
				 "CAP_SYS_RESOURCE, or an unlimited ulimit -l)"
			       : ""));
}

// With kernel lockdown `confidentiality`, programs have no helper that reads kernel memory, and the
// verifier refuses them for it (bpf_base_func_proto in kernel/bpf/helpers.c). Its words differ
// between 5.10 and 6.12. Pods do not see what lockdown is set.
static bool is_locked_down()
{
	for (const std::string refusal : {"unknown func ", "cannot use helper "})
		for (const char *helper : {"bpf_probe_read#", "bpf_probe_read_kernel#",
					   "bpf_probe_read_str#", "bpf_probe_read_kernel_str#"})
			if (last_words.find(refusal + helper) != std::string::npos)
				return true;
	return false;
}

static uint32_t read_number(const char *path)
{
	std::ifstream file(path);
	uint64_t number = 0;

	return file >> number ? static_cast<uint32_t>(std::min<uint64_t>(number, UINT32_MAX))
			      : UINT32_MAX;
}

// As many as the kernel allows processes, up to a limit.
static uint32_t default_table_entries()
{
	return std::min({read_number("/proc/sys/kernel/pid_max"),
			 read_number("/proc/sys/kernel/threads-max"), TABLE_ENTRIES_MAX});
}

// The set of all capabilities of this kernel; 0: not known.
static uint64_t all_capabilities()
{
	const uint32_t last = read_number("/proc/sys/kernel/cap_last_cap");

	return last < 64 ? UINT64_MAX >> (63 - last) : 0;
}

// Writes a constant into the programs' read-only data before they are loaded.
static void set_constant(bpf_object *object, const std::string &name, uint64_t value)
{
	const struct btf *btf = bpf_object__btf(object);
	bpf_map *rodata = nullptr, *map;
	size_t size = 0;

	bpf_object__for_each_map (map, object)
		if (bpf_map__is_internal(map) && strstr(bpf_map__name(map), ".rodata") &&
		    !strstr(bpf_map__name(map), ".rodata."))
			rodata = map;
	auto *data =
	    rodata ? static_cast<char *>(const_cast<void *>(bpf_map__initial_value(rodata, &size)))
		   : nullptr;
	const int section_id = btf__find_by_name_kind(btf, ".rodata", BTF_KIND_DATASEC);
	if (data && section_id > 0) {
		const struct btf_type *section = btf__type_by_id(btf, section_id);
		const struct btf_var_secinfo *variable = btf_var_secinfos(section);

		for (int i = 0; i < btf_vlen(section); i++, variable++) {
			const struct btf_type *type = btf__type_by_id(btf, variable->type);

			if (name == btf__name_by_offset(btf, type->name_off) &&
			    variable->offset + sizeof(value) <= size) {
				memcpy(data + variable->offset, &value, sizeof(value));
				return;
			}
		}
	}
	throw HookError("HOOK_SYSTEM", "the BPF object has no variable `" + name +
					   "`: it was built from other sources than this agent");
}

static bpf_map *find_map(bpf_object *object, const char *name)
{
	bpf_map *map = bpf_object__find_map_by_name(object, name);

	if (!map)
		throw HookError("HOOK_SYSTEM",
				std::string("the BPF object has no map `") + name +
				    "`: it was built from other sources than this agent");
	return map;
}

static bpf_program *find_program(bpf_object *object, const char *name)
{
	bpf_program *program = bpf_object__find_program_by_name(object, name);

	if (!program)
		throw HookError("HOOK_SYSTEM",
				std::string("the BPF object has no program `") + name + "`");
	return program;
}

static Fd duplicate(int fd)
{
	return Fd(fcntl(fd, F_DUPFD_CLOEXEC, 3));
}

// Blocks all signals while the kernel verifies the programs, because a signal ends that.
static int load_undisturbed(bpf_object *object)
{
	sigset_t all, before;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	const int error = -bpf_object__load(object);
	pthread_sigmask(SIG_SETMASK, &before, nullptr);
	return error;
}

LoadedObject::LoadedObject(const LoadOptions &options)
{
	libbpf_set_print(keep_words);
	last_words.clear();
	object_ = bpf_object__open_file(options.object_path.c_str(), nullptr);
	if (!object_)
		throw HookError("KERNEL_UNSUPPORTED", "cannot read the BPF object " +
							  options.object_path + ": " +
							  reason(errno) + explanation());
	try {
		set_constant(object_, "generation", options.generation);
		set_constant(object_, "all_capabilities", all_capabilities());
		set_constant(object_, "holds_cpu", write_preempt_calls(object_));
		bpf_map__set_max_entries(find_map(object_, "events"), options.ring_bytes);
		bpf_map__set_max_entries(find_map(object_, "causes"),
					 options.table_entries ? options.table_entries
							       : default_table_entries());
		bpf_map__set_max_entries(find_map(object_, "cpus"), options.cpu_count);
		bpf_map__set_max_entries(find_map(object_, "scratches"), options.cpu_count);
		bpf_map__set_max_entries(find_map(object_, "cgroups"),
					 CGROUPS_KEPT + CGROUPS_HELD_BY_CPU * options.cpu_count);
		for (const auto &[name, fd] : options.reuse)
			if (bpf_map__reuse_fd(find_map(object_, name.c_str()), fd))
				throw HookError("HOOK_SYSTEM", "cannot use the pinned map " + name +
								   ": " + reason(errno));
		const int error = load_undisturbed(object_);
		if (error == EPERM || error == EACCES)
			throw_not_permitted("load BPF programs");
		if (error && is_locked_down())
			throw HookError("HOOK_PERMISSION",
					"not permitted to load BPF programs: kernel lockdown "
					"(confidentiality) lets none read kernel memory; boot with "
					"lockdown=integrity, or without lockdown");
		if (error)
			throw HookError(
			    "KERNEL_UNSUPPORTED",
			    "this kernel cannot load the BPF programs: " + reason(error) +
				explanation() + "; it takes a kernel from 5.10 on with BTF");
	} catch (...) {
		bpf_object__close(object_);
		throw;
	}
}

LoadedObject::~LoadedObject()
{
	bpf_object__close(object_);
}

Fd LoadedObject::map(const char *name) const
{
	return duplicate(bpf_map__fd(find_map(object_, name)));
}

uint32_t LoadedObject::max_entries(const char *name) const
{
	return bpf_map__max_entries(find_map(object_, name));
}

void LoadedObject::pin_map(const char *name, const std::string &path) const
{
	if (bpf_obj_pin(bpf_map__fd(find_map(object_, name)), path.c_str()))
		throw HookError("HOOK_BPFFS", "cannot pin " + path + ": " + reason(errno));
}

Fd LoadedObject::program(const char *name) const
{
	return duplicate(bpf_program__fd(find_program(object_, name)));
}

Fd LoadedObject::attach(const char *name, const std::string &link_path,
			const std::string &program_path) const
{
	bpf_program *program = find_program(object_, name);
	bpf_link *link = bpf_program__attach(program);
	if (!link && (errno == EPERM || errno == EACCES))
		throw_not_permitted(std::string("attach ") + name);
	if (!link)
		throw HookError("KERNEL_UNSUPPORTED", std::string("this kernel cannot attach ") +
							  name + ": " + reason(errno) +
							  explanation());
	const int error = -bpf_link__pin(link, link_path.c_str());
	Fd held = duplicate(bpf_link__fd(link));
	bpf_link__destroy(link); // the pin keeps the link
	if (error)
		throw HookError("HOOK_BPFFS", "cannot pin " + link_path + ": " + reason(error));
	if (bpf_obj_pin(bpf_program__fd(program), program_path.c_str()))
		throw HookError("HOOK_BPFFS", "cannot pin " + program_path + ": " + reason(errno));
	return held;
}
