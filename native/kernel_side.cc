// SPDX-License-Identifier: Apache-2.0
#include "kernel_side.h"

#include "bpffs.h"
#include "error.h"
#include "load.h"
#include "pins.h"

#include <algorithm>
#include <bpf/bpf.h>
#include <ctime>
#include <fcntl.h>
#include <fstream>
#include <iterator>
#include <linux/membarrier.h>
#include <sys/stat.h>
#include <sys/syscall.h>

// How far in the future the arming time is when it is written, so that no process can begin after
// it and fork before the programs see it.
static const uint64_t ARMING_DELAY_NS = 2000000;

static uint64_t boot_time_ns()
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return static_cast<uint64_t>(now.tv_sec) * 1000000000 + now.tv_nsec;
}

static uint64_t hash_file(const std::string &path)
{
	std::ifstream file(path, std::ios::binary);
	uint64_t hash = 14695981039346656037u; // FNV-1a

	if (!file)
		throw HookError("KERNEL_UNSUPPORTED", "cannot read the kernel side, " + path +
							  ": " + reason(errno) +
							  "; build it with: make build");
	for (std::istreambuf_iterator<char> at(file), end; at != end; ++at)
		hash = (hash ^ static_cast<uint8_t>(*at)) * 1099511628211u;
	return hash;
}

KernelSide::KernelSide(const HookOptions &options)
    : options_(options), object_hash_(hash_file(options.object_path)), cpu_count_(count_cpus())
{
	check_kernel();
	lock();
	pinned_ = list_pins(dir_, options_.pin_dir);
	if (!take_over()) {
		if (!options_.attach) {
			if (pinned_.empty())
				leave();
			throw HookError("HOOK_ABSENT",
					"no working hook is pinned at " + options_.pin_dir);
		}
		for (const std::string &name : pinned_)
			unlink(pin(name).c_str());
		try {
			load(false);
		} catch (const HookError &) {
			detach(); // the next agent could not use half a hook
			throw;
		}
	}
	control *page = control_page();
	page->args_bytes = options_.args_bytes;
	page->quiet_after = options_.quiet_after_ns;
	page->seen_at = boot_time_ns();
	memset(page->holder, 0, sizeof(page->holder));
	options_.holder.copy(reinterpret_cast<char *>(page->holder), sizeof(page->holder) - 1);
	if (mounted_)
		page->mounted_bpffs = 1;
}

void KernelSide::lock()
{
	dir_ = open_pin_dir(options_.pin_dir, options_.mount_bpffs, &mounted_);
	bool locked = lock_pin_dir(dir_);
	struct stat held, there;

	// The former holder may have removed the folder while this agent waited for it.
	if (locked && (fstat(dir_.get(), &held) || stat(options_.pin_dir.c_str(), &there) ||
		       held.st_ino != there.st_ino))
		locked = false;
	if (locked)
		return;

	std::string holder = "unknown";
	Fd fd(bpf_obj_get(pin("control_page").c_str()));
	control page = {};
	uint32_t zero = 0;
	if (fd && bpf_map_lookup_elem(fd.get(), &zero, &page) == 0 && page.magic == CONTROL_MAGIC)
		holder.assign(reinterpret_cast<char *>(page.holder),
			      strnlen(reinterpret_cast<char *>(page.holder), sizeof(page.holder)));
	throw HookError("HOOK_BUSY",
			"another agent holds the hook at " + options_.pin_dir + ": " + holder +
			    "; there is one agent for each kernel: stop that one first");
}

// True: it took over a working hook. False: there is none, or only half of one.
bool KernelSide::take_over()
{
	bpf_map_info info;

	control_fd_ = open_pinned_map(pin("control_page"), 0, &info);
	if (!control_fd_)
		return false;
	control page = {};
	uint32_t zero = 0;
	if (info.value_size < 16 || info.value_size > 4096)
		throw HookError("HOOK_PINS_FOREIGN",
				pin("control_page") + " is not a map of this agent");
	std::vector<char> value(info.value_size);
	if (bpf_map_lookup_elem(control_fd_.get(), &zero, value.data()))
		throw HookError("HOOK_SYSTEM",
				"cannot read " + pin("control_page") + ": " + reason(errno));
	memcpy(&page, value.data(), std::min(value.size(), sizeof(page)));
	if (page.magic != CONTROL_MAGIC)
		return false; // it was never armed
	if (page.table_version != TABLE_VERSION)
		throw HookError(
		    "HOOK_PINS_INCOMPATIBLE",
		    "the hook pinned at " + options_.pin_dir + " has layout " +
			std::to_string(page.table_version) + ", this agent knows " +
			std::to_string(TABLE_VERSION) +
			"; run the agent that made it, or remove it with: vcml-agent detach --discard");
	if (!page.armed_at || page.armed_at > boot_time_ns() + 1000000000)
		return false;

	causes_ = open_pinned_map(pin("causes"), sizeof(process), &info);
	table_entries_ = info.max_entries;
	cpus_fd_ = open_pinned_map(pin("cpus"), sizeof(cpu_state), &info);
	cpu_count_ = info.max_entries;
	events_ = open_pinned_map(pin("events"), 0, &info);
	ring_bytes_ = info.max_entries;
	scratches_ = open_pinned_map(pin("scratches"), 0, &info);
	cgroups_ = open_pinned_map(pin("cgroups"), sizeof(cgroup_name), &info); // 0.1.0 has none
	if (!causes_ || !cpus_fd_ || !events_ || !scratches_)
		return false;

	map_shared();
	if (page.mounted_bpffs)
		mounted_ = true;
	for (const char *program : PROGRAMS) {
		const std::string name = link_pin(program, page.active_generation);

		if (std::find(pinned_.begin(), pinned_.end(), name) == pinned_.end())
			missing_.push_back(program);
	}
	generation_ = page.active_generation;
	state_ = HookState::resumed;
	if (!options_.attach)
		return true;
	if (missing_.empty() && cgroups_ && page.object_hash == object_hash_) {
		unlink_other_generations();
		return true;
	}

	// Another kernel side with the same layouts is attached beside the old one, which is then
	// removed.
	state_ = missing_.empty() ? HookState::upgraded : HookState::resumed;
	generation_ = page.active_generation + 1;
	load(true);
	__atomic_store_n(&control_page()->active_generation, generation_, __ATOMIC_SEQ_CST);
	control_page()->object_hash = object_hash_;
	control_page()->event_version = EVENT_VERSION;
	unlink_other_generations();
	return true;
}

// An interrupted upgrade leaves new programs, which do nothing; a successful one leaves the old
// ones.
void KernelSide::unlink_other_generations()
{
	const std::string ours = "_" + std::to_string(generation_);

	for (const std::string &name : pinned_)
		if (!is_map_name(name) && name.substr(name.rfind('_')) != ours)
			unlink(pin(name).c_str());
}

void KernelSide::load(bool reuse)
{
	LoadOptions load{options_.object_path, options_.ring_bytes, options_.table_entries,
			 cpu_count_, generation_};

	if (reuse) {
		load.reuse = {{"control_page", control_fd_.get()},
			      {"causes", causes_.get()},
			      {"cpus", cpus_fd_.get()},
			      {"scratches", scratches_.get()},
			      {"events", events_.get()}};
		if (cgroups_)
			load.reuse["cgroups"] = cgroups_.get();
	}
	LoadedObject object(load);
	if (reuse && !cgroups_)
		object.pin_map("cgroups", pin("cgroups"));
	cgroups_ = object.map("cgroups");
	if (!reuse) {
		control_fd_ = object.map("control_page");
		causes_ = object.map("causes");
		cpus_fd_ = object.map("cpus");
		scratches_ = object.map("scratches");
		events_ = object.map("events");
		table_entries_ = object.max_entries("causes");
		ring_bytes_ = object.max_entries("events");
		map_shared();
		control *page = control_page();
		page->event_version = EVENT_VERSION;
		page->table_version = TABLE_VERSION;
		page->active_generation = generation_;
		page->object_hash = object_hash_;
		page->wake_at = ~0ull;
		page->magic = CONTROL_MAGIC;
		for (const char *name : MAPS)
			object.pin_map(name, pin(name));
	}
	for (const char *program : PROGRAMS) {
		const std::string link = pin(link_pin(program, generation_));
		const std::string own = pin(program_pin(program, generation_));

		// left by an interrupted upgrade
		unlink(link.c_str());
		unlink(own.c_str());
		object.attach(program, link, own);
	}
}

void KernelSide::map_shared()
{
	control_ = Mapping(sizeof(control), PROT_READ | PROT_WRITE, control_fd_.get(), 0);
	cpus_ = Mapping(sizeof(cpu_state) * cpu_count_, PROT_READ | PROT_WRITE, cpus_fd_.get(), 0);
	if (!control_ || !cpus_)
		throw HookError("HOOK_SYSTEM",
				"cannot map the kernel side's memory: " + reason(errno));
}

void KernelSide::arm()
{
	control *page = control_page();

	if (page->armed_at)
		return;
	// First a time that never comes: forks make entries from here on. Then the time itself, a
	// little in the future.
	__atomic_store_n(&page->armed_at, ~0ull, __ATOMIC_SEQ_CST);
	__atomic_store_n(&page->armed_at, boot_time_ns() + ARMING_DELAY_NS, __ATOMIC_SEQ_CST);
}

void KernelSide::disarm()
{
	__atomic_store_n(&control_page()->active_generation, 0, __ATOMIC_SEQ_CST);
	// Programs that run at this moment run to their end, and a grace period of RCU outlasts
	// each of them. Kernels with nohz_full CPUs offer no such wait; a program takes some
	// microseconds.
	if (syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0))
		usleep(10000);
}

std::vector<std::string> KernelSide::remove(const std::string &pin_dir)
{
	KernelSide side;

	side.options_.pin_dir = pin_dir;
	side.lock();
	return side.detach();
}

std::vector<std::string> KernelSide::detach()
{
	std::vector<std::string> removed;

	pinned_ = list_pins(dir_, options_.pin_dir);
	// Links come first, so that no program runs on maps that are being removed; control comes
	// last.
	std::sort(pinned_.begin(), pinned_.end(), [](const std::string &a, const std::string &b) {
		return (a.compare(0, 3, "on_") == 0) > (b.compare(0, 3, "on_") == 0);
	});
	for (const std::string &name : pinned_) {
		if (unlink(pin(name).c_str()))
			throw HookError("HOOK_SYSTEM",
					"cannot remove " + pin(name) + ": " + reason(errno));
		removed.push_back(name);
	}
	leave();
	return removed;
}

void KernelSide::leave()
{
	const bool empty = remove_pin_dir(options_.pin_dir);

	dir_ = Fd(); // an open folder would keep the mount in use
	if (empty && mounted_)
		unmount_bpffs(options_.pin_dir);
}

bool KernelSide::find_cgroup(const cgroup_key &key, cgroup_name *name) const
{
	return cgroups_ && bpf_map_lookup_elem(cgroups_.get(), &key, name) == 0;
}

std::vector<ProgramStatistics> KernelSide::programs() const
{
	std::vector<ProgramStatistics> all;

	for (const char *program : PROGRAMS) {
		Fd fd(bpf_obj_get(pin(program_pin(program, generation_)).c_str()));
		bpf_prog_info info = {};
		uint32_t size = sizeof(info);

		if (!fd || bpf_obj_get_info_by_fd(fd.get(), &info, &size))
			continue;
		all.push_back({program, info.run_cnt, info.run_time_ns, info.recursion_misses});
	}
	return all;
}
