// SPDX-License-Identifier: Apache-2.0
// Errors for JavaScript: a code of agent/errors.ts and a sentence that says what to do.
#pragma once

#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <string>

class HookError : public std::runtime_error {
public:
	HookError(const char *code, const std::string &message)
	    : std::runtime_error(message), code(code)
	{
	}

	const char *const code;
};

inline std::string reason(int error)
{
	return std::string(strerror(error)) + " (errno " + std::to_string(error) + ")";
}
