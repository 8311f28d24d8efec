// SPDX-License-Identifier: Apache-2.0
// The folder for pins, on a bpffs. It belongs to the agent, and to one agent at a time.
#pragma once

#include "handle.h"

#include <string>
#include <sys/stat.h>

// Makes and opens the folder. Mounts /sys/fs/bpf if that is necessary and allowed. Refuses a folder
// whose pins others could replace. Throws HookError.
Fd open_pin_dir(const std::string &pin_dir, bool may_mount, bool *mounted);

// Takes the folder's lock; false: another agent has it.
bool lock_pin_dir(const Fd &dir);

// Whether something belongs to root or to the agent's own user.
bool is_own(const struct stat &status);

// Removes the folder; false: it contains something foreign.
bool remove_pin_dir(const std::string &pin_dir);

// Removes the mount that open_pin_dir made, unless it is in use.
void unmount_bpffs(const std::string &pin_dir);

// Whether a path leads to an open folder.
bool is_at(const Fd &dir, const std::string &path);
