// SPDX-License-Identifier: Apache-2.0
#include "ring.h"

#include "error.h"

#include <linux/bpf.h>

Ring::Ring(int map_fd, uint64_t bytes) : bytes_(bytes)
{
	const size_t page = sysconf(_SC_PAGESIZE);

	consumer_ = Mapping(page, PROT_READ | PROT_WRITE, map_fd, 0);
	if (!consumer_)
		throw HookError("HOOK_SYSTEM", "cannot map the ring buffer: " + reason(errno));
	producer_ = Mapping(page + 2 * bytes, PROT_READ, map_fd, page);
	if (!producer_)
		throw HookError("HOOK_SYSTEM", "cannot map the ring buffer: " + reason(errno));
	data_ = producer_.as<const uint8_t>(page);
	read_ = consumer_position();
}

uint64_t Ring::consumer_position() const
{
	return __atomic_load_n(consumer_.as<uint64_t>(), __ATOMIC_ACQUIRE);
}

uint64_t Ring::producer_position() const
{
	return __atomic_load_n(producer_.as<const uint64_t>(), __ATOMIC_ACQUIRE);
}

size_t Ring::drain(uint8_t *to, size_t capacity)
{
	const uint64_t end = producer_position();
	size_t written = 0;

	while (read_ < end) {
		const uint8_t *record = data_ + (read_ & (bytes_ - 1));
		const uint32_t header =
		    __atomic_load_n(reinterpret_cast<const uint32_t *>(record), __ATOMIC_ACQUIRE);
		const uint32_t length = header & ~(BPF_RINGBUF_BUSY_BIT | BPF_RINGBUF_DISCARD_BIT);
		const size_t padded = (static_cast<size_t>(length) + 7) & ~size_t{7};

		if (header & BPF_RINGBUF_BUSY_BIT)
			break;
		if (!(header & BPF_RINGBUF_DISCARD_BIT)) {
			if (written + 8 + padded > capacity)
				break;
			const uint32_t frame[2] = {length, 0};
			memcpy(to + written, frame, sizeof(frame));
			memcpy(to + written + 8, record + BPF_RINGBUF_HDR_SZ, length);
			memset(to + written + 8 + length, 0, padded - length);
			written += 8 + padded;
		}
		read_ += BPF_RINGBUF_HDR_SZ + padded;
	}
	return written;
}

void Ring::commit(uint64_t position)
{
	__atomic_store_n(consumer_.as<uint64_t>(), position, __ATOMIC_RELEASE);
}
