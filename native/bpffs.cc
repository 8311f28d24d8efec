// SPDX-License-Identifier: Apache-2.0
#include "bpffs.h"

#include "error.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/file.h>
#include <sys/mount.h>
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

static std::string mount_command(const std::string &path)
{
	return "mount -t bpf -o mode=0700,nosuid,nodev,noexec bpf " + path;
}

static std::string make_private(const std::string &bpffs)
{
	return "let only root write to the bpffs: chmod 0700 " + bpffs + ", and at boot " +
	       mount_command(bpffs);
}

bool is_own(const struct stat &status)
{
	return status.st_uid == 0 || status.st_uid == geteuid();
}

static struct stat status_of(const Fd &dir, const std::string &path)
{
	struct stat status;

	if (!dir || fstat(dir.get(), &status))
		throw HookError("HOOK_SYSTEM", "cannot inspect " + path + ": " + reason(errno));
	return status;
}

// Whoever owns a folder or may write to it can remove or replace what is in it.
static void refuse_unsafe(const std::string &path, const struct stat &status, bool is_shared,
			  const std::string &remedy)
{
	if (is_own(status) && !is_shared)
		return;
	throw HookError("HOOK_PINS_UNSAFE",
			path +
			    (is_own(status) ? " can be written by others"
					    : " belongs to uid " + std::to_string(status.st_uid)) +
			    ", who could take the hook away; " + remedy);
}

// Walks from the folder above the pins up to the root of the bpffs.
static void refuse_unsafe_above(const std::string &parent)
{
	Fd at(open(parent.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
	std::string path = parent;
	struct stat status = status_of(at, path);
	const dev_t bpffs = status.st_dev;

	while (status.st_dev == bpffs) {
		// In a sticky folder, others can neither remove nor rename what is not theirs.
		const bool is_shared =
		    status.st_mode & (S_IWGRP | S_IWOTH) && !(status.st_mode & S_ISVTX);

		refuse_unsafe(path, status, is_shared, make_private(parent));
		at = Fd(openat(at.get(), "..", O_PATH | O_DIRECTORY | O_CLOEXEC));
		path = parent_of(path);
		status = status_of(at, path);
	}
}

Fd open_pin_dir(const std::string &pin_dir, bool may_mount, bool *mounted)
{
	const std::string parent = parent_of(pin_dir);

	*mounted = false;
	if (!is_bpffs(parent)) {
		const std::string remedy = "mount one with: " + mount_command(parent);

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
	refuse_unsafe_above(parent);
	if (mkdir(pin_dir.c_str(), 0700) && errno != EEXIST)
		throw HookError(errno == EPERM || errno == EACCES ? "HOOK_PERMISSION"
								  : "HOOK_BPFFS",
				"cannot make the folder for pins, " + pin_dir + ": " +
				    reason(errno) + "; it needs root on a writable bpffs");
	Fd path(open(pin_dir.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
	if (path) {
		const struct stat status = status_of(path, pin_dir);

		refuse_unsafe(pin_dir, status, status.st_mode & (S_IWGRP | S_IWOTH),
			      "remove it, and " + make_private(parent));
	}
	Fd dir(path ? openat(path.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1);
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

bool is_at(const Fd &dir, const std::string &path)
{
	struct stat held, there;

	return !fstat(dir.get(), &held) && !stat(path.c_str(), &there) &&
	       held.st_dev == there.st_dev && held.st_ino == there.st_ino;
}
