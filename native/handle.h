// SPDX-License-Identifier: Apache-2.0
// Owners of descriptors and mappings, which close them when they are destroyed.
#pragma once

#include <sys/mman.h>
#include <unistd.h>
#include <utility>

class Fd {
public:
	Fd() = default;
	explicit Fd(int fd) : fd_(fd) {}
	Fd(Fd &&other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
	Fd &operator=(Fd &&other) noexcept
	{
		std::swap(fd_, other.fd_);
		return *this;
	}
	~Fd()
	{
		if (fd_ >= 0)
			close(fd_);
	}
	int get() const { return fd_; }
	explicit operator bool() const { return fd_ >= 0; }

private:
	int fd_ = -1;
};

class Mapping {
public:
	Mapping() = default;
	Mapping(size_t bytes, int protection, int fd, off_t offset)
	    : address_(mmap(nullptr, bytes, protection, MAP_SHARED, fd, offset)), bytes_(bytes)
	{
	}
	Mapping(Mapping &&other) noexcept
	    : address_(std::exchange(other.address_, MAP_FAILED)), bytes_(other.bytes_)
	{
	}
	Mapping &operator=(Mapping &&other) noexcept
	{
		std::swap(address_, other.address_);
		std::swap(bytes_, other.bytes_);
		return *this;
	}
	~Mapping()
	{
		if (address_ != MAP_FAILED)
			munmap(address_, bytes_);
	}
	explicit operator bool() const { return address_ != MAP_FAILED; }
	template <typename T> T *as(size_t offset = 0) const
	{
		return reinterpret_cast<T *>(static_cast<char *>(address_) + offset);
	}

private:
	void *address_ = MAP_FAILED;
	size_t bytes_ = 0;
};
