// SPDX-License-Identifier: Apache-2.0
// The folder for pins: on a bpffs, ours alone, one agent at a time.
#pragma once

#include "handle.h"

#include <string>

// Makes the folder, mounting /sys/fs/bpf if need be and if it may. Throws HookError.
Fd open_pin_dir(const std::string &pin_dir, bool may_mount, bool *mounted);

// Takes the folder's lock; false when another agent has it.
bool lock_pin_dir(const Fd &dir);

// Removes the folder; false when something foreign is in it.
bool remove_pin_dir(const std::string &pin_dir);

// Takes away the mount that open_pin_dir made, unless somebody else uses it.
void unmount_bpffs(const std::string &pin_dir);
