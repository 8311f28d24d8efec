// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <napi.h>

// Adds the function hashParts to the addon, if this CPU has what it needs.
void init_hash_parts(Napi::Env env, Napi::Object exports);
