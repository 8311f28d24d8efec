// SPDX-License-Identifier: Apache-2.0
#include "kernel_side.h"

#include "bpffs.h"
#include "error.h"
#include "load.h"
#include "pins.h"
#include "realtime.h"

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
	if (options_.attach)
		check_ring_lock();
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
		held_.clear();
		try {
			load(false);
		} catch (const HookError &) {
			detach(); // the next agent could not use half a hook
			throw;
		}
	}
	control *page = control_page();
	// Without attaching, the hook keeps the settings of the agent that recorded.
	if (options_.attach) {
		page->args_bytes = options_.args_bytes;
		page->quiet_after = options_.quiet_after_ns;
		page->environment_asked = options_.environment;
	}
	page->seen_at = boot_time_ns();
	memset(page->holder, 0, sizeof(page->holder));
	options_.holder.copy(reinterpret_cast<char *>(page->holder), sizeof(page->holder) - 1);
	if (mounted_)
		page->mounted_bpffs = 1;
}

void KernelSide::lock()
{
	bool mounted = false;
	Fd dir = open_pin_dir(options_.pin_dir, options_.mount_bpffs, &mounted);

	mounted_ = mounted_ || mounted;
	// The former holder may have removed the folder while this agent waited for it.
	if (lock_pin_dir(dir) && is_at(dir, options_.pin_dir)) {
		dir_ = std::move(dir);
		return;
	}

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

	if (!hold_map("control_page", 0, &info))
		return false;
	control page = {};
	uint32_t zero = 0;
	if (info.value_size < 16 || info.value_size > 4096)
		throw HookError("HOOK_PINS_FOREIGN",
				pin("control_page") + " is not a map of this agent");
	std::vector<char> value(info.value_size);
	if (bpf_map_lookup_elem(held("control_page"), &zero, value.data()))
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

	if (!hold_map("causes", sizeof(process), &info))
		return false;
	table_entries_ = info.max_entries;
	if (!hold_map("cpus", sizeof(cpu_state), &info))
		return false;
	cpu_count_ = info.max_entries;
	if (!hold_map("events", 0, &info))
		return false;
	ring_bytes_ = info.max_entries;
	if (!hold_map("scratches", 0, &info))
		return false;
	bool complete = hold_map("cgroups", sizeof(cgroup_name), &info); // 0.1.0 has none

	map_shared();
	if (page.mounted_bpffs)
		mounted_ = true;
	for (const char *program : PROGRAMS) {
		if (!hold_program(link_pin(program, page.active_generation)))
			missing_.push_back(program);
		complete = hold_program(program_pin(program, page.active_generation)) && complete;
	}
	generation_ = page.active_generation;
	state_ = HookState::resumed;
	if (!options_.attach)
		return true;
	if (missing_.empty() && complete && page.object_hash == object_hash_) {
		unlink_other_generations();
		return true;
	}
	// Without on_exec, even a process that predates the hook may have executed something that
	// is not known here.
	if (std::count(missing_.begin(), missing_.end(), "on_exec") && !page.overflowed_at)
		control_page()->overflowed_at = boot_time_ns();

	// Another kernel side with the same layouts is attached beside the old one, which is then
	// removed. Its counters begin at 0, also where a program of the old one was missing.
	state_ = HookState::upgraded;
	generation_ = page.active_generation + 1;
	load(true);
	control_page()->read_misses = 0; // its programs begin at 0
	// Former programs know nothing of it, and former agents had the end of their name there.
	control_page()->environment_asked = options_.environment;
	__atomic_store_n(&control_page()->active_generation, generation_, __ATOMIC_SEQ_CST);
	control_page()->object_hash = object_hash_;
	control_page()->event_version = EVENT_VERSION;
	unlink_other_generations();
	return true;
}

bool KernelSide::hold_map(const char *name, uint32_t value_size, bpf_map_info *info)
{
	Fd map = open_pinned_map(pin(name), value_size, info);

	if (!map)
		return false;
	held_[name] = std::move(map);
	return true;
}

bool KernelSide::hold_program(const std::string &name)
{
	Fd fd(bpf_obj_get(pin(name).c_str()));

	if (!fd)
		return false;
	held_[name] = std::move(fd);
	return true;
}

int KernelSide::held(const std::string &name) const
{
	const auto found = held_.find(name);

	return found == held_.end() ? -1 : found->second.get();
}

// An interrupted upgrade leaves new programs, which do nothing; a successful one leaves the old
// ones.
void KernelSide::unlink_other_generations()
{
	const std::string ours = "_" + std::to_string(generation_);

	for (const std::string &name : pinned_)
		if (!is_map_name(name) && name.substr(name.rfind('_')) != ours) {
			unlink(pin(name).c_str());
			held_.erase(name);
		}
}

void KernelSide::load(bool reuse)
{
	LoadOptions load{options_.object_path, options_.ring_bytes, options_.table_entries,
			 cpu_count_, generation_};

	if (reuse)
		for (const char *name : MAPS)
			if (held(name) >= 0)
				load.reuse[name] = held(name);
	LoadedObject object(load);
	for (const char *name : MAPS) {
		if (held(name) >= 0)
			continue;
		held_[name] = object.map(name);
		if (reuse)
			object.pin_map(name, pin(name));
	}
	if (!reuse) {
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
		const std::string link = link_pin(program, generation_);
		const std::string own = program_pin(program, generation_);

		// left by an interrupted upgrade
		unlink(pin(link).c_str());
		unlink(pin(own).c_str());
		held_[own] = object.program(program);
		held_[link] = object.attach(program, pin(link), pin(own));
	}
}

void KernelSide::map_shared()
{
	control_ = Mapping(sizeof(control), PROT_READ | PROT_WRITE, held("control_page"), 0);
	cpus_ = Mapping(sizeof(cpu_state) * cpu_count_, PROT_READ | PROT_WRITE, held("cpus"), 0);
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

std::vector<std::string> KernelSide::restore_pins()
{
	std::vector<std::string> restored;

	follow_pin_dir();
	const std::vector<std::string> there = list_pins(dir_, options_.pin_dir);
	for (const auto &[name, fd] : held_) {
		if (std::find(there.begin(), there.end(), name) == there.end()) {
			if (bpf_obj_pin(fd.get(), pin(name).c_str()))
				throw HookError("HOOK_BPFFS",
						"cannot pin " + pin(name) + ": " + reason(errno));
			restored.push_back(name);
		} else if (!is_same_object(fd, Fd(bpf_obj_get(pin(name).c_str())))) {
			throw HookError("HOOK_PINS_FOREIGN",
					pin(name) + " is of another hook; remove it");
		}
	}
	return restored;
}

// Makes, locks and opens the folder again if another one has its name, or none.
void KernelSide::follow_pin_dir()
{
	if (is_at(dir_, options_.pin_dir))
		return;
	const Fd former(fcntl(dir_.get(), F_DUPFD_CLOEXEC, 3));
	lock();
	if (mounted_)
		control_page()->mounted_bpffs = 1;
	// A folder that was moved away must not keep the hook when it is detached.
	for (const auto &[name, fd] : held_)
		unlinkat(former.get(), name.c_str(), 0);
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
