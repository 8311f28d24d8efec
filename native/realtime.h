// SPDX-License-Identifier: Apache-2.0
// Finds kernels whose ring buffer the programs must not use.
#pragma once

// Throws KERNEL_UNSUPPORTED if the lock of the kernel's ring buffer may sleep.
void check_ring_lock();
