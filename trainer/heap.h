// SPDX-License-Identifier: MIT
// How the program's heap behaves between two steps of training.
#pragma once

#ifdef __GLIBC__
#include <malloc.h>
#endif

namespace unetseg::trainer {

// Each step frees its activations, gigabytes of them, and the next one needs as much again. glibc
// hands blocks that large back to the system and gets new pages, which the system clears: a quarter
// of a step at 128 x 128 on two cores. Kept instead, they are there at once; the program never shrinks. To be called
// before the first allocation that matters. Nothing elsewhere than with glibc.
inline void keep_freed_memory() {
#ifdef __GLIBC__
  mallopt(M_MMAP_MAX, 0);         // all blocks from the heap
  mallopt(M_TRIM_THRESHOLD, -1);  // which is never trimmed
  mallopt(M_TOP_PAD, 64 << 20);   // and grows in large steps
  mallopt(M_ARENA_MAX, 1);        // shared by all threads: only this one keeps what it was given
#endif
}

}  // namespace unetseg::trainer
