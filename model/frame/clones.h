// SPDX-License-Identifier: MIT
// Row loops for the processor that they run on, out of one source.
#pragma once

#include <cstddef>  // defines __GLIBC__ where it is

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define UNETSEG_NO_CLONES
#endif
#elif defined(__SANITIZE_THREAD__)
#define UNETSEG_NO_CLONES
#endif

// Compiles a function twice: for AVX2, and for what the compiler is told to expect of any machine.
// Which one is called is settled when the program or the module is loaded, by an indirect function
// of the C library; without those, and under ThreadSanitizer, which starts after that, there is one
// version alone. FMA is left out, so that both give the same numbers.
//
// For functions that are no templates and that nothing has declared before (Clang goes by the first
// declaration). What they call gains where it is inlined.
#if defined(__x86_64__) && defined(__GLIBC__) && __has_attribute(target_clones) && \
    !defined(UNETSEG_NO_CLONES)
#define UNETSEG_CLONES __attribute__((target_clones("avx2", "default")))
#else
#define UNETSEG_CLONES
#endif

#define UNETSEG_INLINE inline __attribute__((always_inline))
