// SPDX-License-Identifier: Apache-2.0
// The kernel's ring buffer, mapped and read without libbpf: libbpf publishes the consumer position
// as it reads, and what the process then holds in memory would be gone with it.
#pragma once

#include "handle.h"

#include <cstdint>

class Ring {
public:
	// bytes: the ring's size, a power of two. Throws HookError.
	Ring(int map_fd, uint64_t bytes);

	// Copies events from the read position on, each behind a frame of 8 bytes (u32 length, u32
	// 0) and padded to 8, as many as fit; returns the bytes written. Stops at an event that is
	// still being written.
	size_t drain(uint8_t *to, size_t capacity);

	// Everything before `position` is safe elsewhere: the kernel may use its room again.
	void commit(uint64_t position);

	uint64_t bytes() const { return bytes_; }
	uint64_t read_position() const { return read_; }
	uint64_t consumer_position() const;
	uint64_t producer_position() const;

private:
	uint64_t bytes_;
	uint64_t read_;
	Mapping consumer_;
	Mapping producer_; // its page, then the data twice, so that no event is ever split
	const uint8_t *data_;
};
