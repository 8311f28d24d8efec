// SPDX-License-Identifier: Apache-2.0
#include "hash_parts.h"

#include "sha256.h"

#include <vector>

// hashParts(prefix, text, ends): the SHA-256 of each part of a text behind the prefix, one after
// the other; `ends` is where the first begins and where each ends. record/tree/hashes.ts does the
// same without this.
static Napi::Value hash_parts(const Napi::CallbackInfo &info)
{
	const auto text = info[1].As<Napi::Uint8Array>();
	const auto numbers = info[2].As<Napi::Array>();
	std::vector<size_t> ends;

	for (uint32_t n = 0; n < numbers.Length(); n++) {
		const int64_t end = Napi::Value(numbers[n]).ToNumber().Int64Value();
		const int64_t least = ends.empty() ? 0 : static_cast<int64_t>(ends.back());

		if (end < least || end > static_cast<int64_t>(text.ByteLength()))
			throw Napi::RangeError::New(info.Env(), "a part is not in the text");
		ends.push_back(static_cast<size_t>(end));
	}
	const size_t count = ends.empty() ? 0 : ends.size() - 1;
	auto hashes = Napi::Buffer<uint8_t>::New(info.Env(), count * HASH_BYTES);
	hash_parts(static_cast<uint8_t>(info[0].ToNumber().Uint32Value()), text.Data(), ends.data(),
		   count, hashes.Data());
	return hashes;
}

void init_hash_parts(Napi::Env env, Napi::Object exports)
{
	if (can_hash_parts())
		exports.Set("hashParts", Napi::Function::New<hash_parts>(env, "hashParts"));
}
