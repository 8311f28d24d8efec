// SPDX-License-Identifier: Apache-2.0
// Implements the calls of bpf/preempt.h on kernels that preempt programs.
#pragma once

struct bpf_object;

// Replaces them by calls of this kernel's functions, before the object is loaded. False: this
// kernel does not preempt programs, or lacks the functions, and the programs must not reach the
// calls.
bool write_preempt_calls(bpf_object *object);
