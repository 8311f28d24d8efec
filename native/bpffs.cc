// SPDX-License-Identifier: Apache-2.0
#include "bpffs.h"

#include "error.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>

static const char DEFAULT_BPFFS[] = "/sys/fs/bpf";

static std::string parent_of(const std::string &path)
{
	const size_t slash = path.find_last_of('/');

	return slash == 0 || slash == std::string::npos ? "/" : path.substr(0, slash);
}

static bool is_bpffs(const std::string &path)
{
	struct statfs fs;

	return statfs(path.c_str(), &fs) == 0 && fs.f_type == BPF_FS_MAGIC;
}

Fd open_pin_dir(const std::string &pin_dir, bool may_mount, bool *mounted)
{
	const std::string parent = parent_of(pin_dir);

	*mounted = false;
	if (!is_bpffs(parent)) {
		const std::string remedy = "mount one with: mount -t bpf bpf " + parent;

		if (parent != DEFAULT_BPFFS)
			throw HookError("HOOK_BPFFS",
					"no bpffs is mounted at " + parent + "; " + remedy);
		// In a mount namespace of its own, the hook would disappear with the mount.
		if (!may_mount)
			throw HookError("HOOK_BPFFS", "no bpffs is mounted at " + parent +
							  "; as root on the host, " + remedy);
		if (mount("bpf", DEFAULT_BPFFS, "bpf", MS_NOSUID | MS_NODEV | MS_NOEXEC,
			  "mode=0700"))
			throw HookError("HOOK_BPFFS",
					std::string("no bpffs is mounted at ") + DEFAULT_BPFFS +
					    ", and mounting it failed: " + reason(errno) +
					    "; as root on the host, " + remedy);
		*mounted = true;
	}
	if (mkdir(pin_dir.c_str(), 0700) && errno != EEXIST)
		throw HookError(errno == EPERM || errno == EACCES ? "HOOK_PERMISSION"
								  : "HOOK_BPFFS",
				"cannot make the folder for pins, " + pin_dir + ": " +
				    reason(errno) + "; it needs root on a writable bpffs");
	Fd dir(open(pin_dir.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
	if (!dir)
		throw HookError(
		    errno == EPERM || errno == EACCES ? "HOOK_PERMISSION" : "HOOK_PINS_FOREIGN",
		    "cannot open the folder for pins, " + pin_dir + ": " + reason(errno) +
			"; remove what is there or choose another --pin-dir");
	return dir;
}

bool lock_pin_dir(const Fd &dir)
{
	if (flock(dir.get(), LOCK_EX | LOCK_NB) == 0)
		return true;
	if (errno == EWOULDBLOCK)
		return false;
	throw HookError("HOOK_SYSTEM", "cannot lock the folder for pins: " + reason(errno));
}

bool remove_pin_dir(const std::string &pin_dir)
{
	return rmdir(pin_dir.c_str()) == 0; // it contains something foreign, which stays
}

void unmount_bpffs(const std::string &pin_dir)
{
	if (parent_of(pin_dir) == DEFAULT_BPFFS)
		umount2(DEFAULT_BPFFS, 0); // it stays mounted if it is in use
}
