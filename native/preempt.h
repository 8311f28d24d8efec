// SPDX-License-Identifier: Apache-2.0
// The calls of bpf/preempt.h, on kernels that preempt programs.
#pragma once

struct bpf_object;

// Turns them into calls of this kernel's functions, before the object is loaded. False when this
// kernel does not preempt programs: then they are not to be reached.
bool write_preempt_calls(bpf_object *object);
