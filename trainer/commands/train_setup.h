// SPDX-License-Identifier: MIT
// What a run needs before its first step: device and threads, teachers, and that it goes on with
// what it was started with.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include "trainer/data/decoded_set.h"
#include "trainer/train/checkpoint.h"

namespace unetseg::trainer {

// What runs: device, precision and threads named, nothing left on "auto". Says so on stderr. Throws
// Error(settings), Error(no_device).
Config resolved(Config config);

// With the hashes of the teachers' weights, so that a resumed run has the same. Throws
// Error(settings) where they cannot teach it, and as read_safetensors() does.
Config with_teacher_hashes(Config config);

// Sets set->found. Throws as found_by_teachers() does.
void ask_teachers(const Config& config, bool quiet, const std::atomic<bool>& stop, DecodedSet* set);

// Settings of the whole process.
void prepare_libtorch(const Config& config);

// What a run writes to its folder.
std::uint64_t bytes_of_run(const Config& config);

// Throws Error(settings) where `config` differs from the checkpoint's in what an exact resume
// needs; another device or number of threads is a warning, another learning rate is told.
void require_same_run(const Checkpoint& checkpoint, const Config& config);

}  // namespace unetseg::trainer
