// SPDX-License-Identifier: Apache-2.0
// Maps and reads the kernel's ring buffer without libbpf. libbpf publishes the consumer position
// after every event, so that a killed process would lose what it holds in memory.
#pragma once

#include "handle.h"

#include <cstdint>

class Ring {
public:
	// `bytes` is the ring's size, a power of two. Throws HookError.
	Ring(int map_fd, uint64_t bytes);

	// Copies events from the read position on, as many as fit, and returns the bytes written.
	// Each follows a frame of 8 bytes (u32 length, u32 0) and is padded to 8. Stops at an event
	// that is still being written.
	size_t drain(uint8_t *to, size_t capacity);

	// Tells the kernel that it may reuse the room before `position`.
	void commit(uint64_t position);

	uint64_t bytes() const { return bytes_; }
	uint64_t read_position() const { return read_; }
	uint64_t consumer_position() const;
	uint64_t producer_position() const;

private:
	uint64_t bytes_;
	uint64_t read_;
	Mapping consumer_;
	Mapping producer_; // its page, then the data twice, so that no event is split
	const uint8_t *data_;
};
