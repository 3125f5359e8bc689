// SPDX-License-Identifier: MIT
#include <cstring>
#include <initializer_list>

#include "model/engine/fused/variants.h"

#if defined(UNETSEG_HAVE_BF16_KERNELS)
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace unetseg::fused {
namespace {

#if defined(UNETSEG_HAVE_X86_KERNELS)
bool has_avx2() {
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}

bool has_avx512() {
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
         __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw");
}
#endif

#if defined(UNETSEG_HAVE_BF16_KERNELS)
bool has_avx512_bf16() {
  return has_avx512() && __builtin_cpu_supports("avx512bf16");
}

// Linux saves tiles only for a process that has asked for it. It refuses where it knows none, and
// where a signal's stack would be too small for them.
bool may_use_tiles() {
  constexpr long kRequestPermission = 0x1023, kTileData = 18;  // of Linux's asm/prctl.h
  return syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
}

bool has_amx_bf16() {
  constexpr unsigned kAmxBf16 = 1u << 22, kAmxTile = 1u << 24;
  unsigned a, b, c, d;
  if (!__get_cpuid_count(7, 0, &a, &b, &c, &d)) return false;
  static const bool allowed = (d & kAmxBf16) != 0 && (d & kAmxTile) != 0 && may_use_tiles();
  return allowed && has_avx512_bf16();
}
#endif

}  // namespace

const Kernels* kernels_named(const char* name) {
  const auto is = [&](const char* other) { return std::strcmp(name, other) == 0; };
  if (is("plain")) return &plain_kernels;
  if (is("generic")) return &generic_kernels;
  if (is("plain-bf16")) return &plain_bf16_kernels;
#if defined(UNETSEG_HAVE_X86_KERNELS)
  if (is("avx2") && has_avx2()) return &avx2_kernels;
  if (is("avx512") && has_avx512()) return &avx512_kernels;
#endif
#if defined(UNETSEG_HAVE_BF16_KERNELS)
  if (is("avx512-bf16") && has_avx512_bf16()) return &avx512_bf16_kernels;
  if (is("amx-bf16") && has_amx_bf16()) return &amx_bf16_kernels;
#endif
  return nullptr;
}

const Kernels* best_kernels() {
#if defined(UNETSEG_HAVE_X86_KERNELS)
  // Zen 4 computes 512 bits in two halves: no more of them in a cycle, and in blocks that fit the
  // caches less well (12.5 ms against 13.8 for an inference at 128x128 on one core).
  if (__builtin_cpu_is("amdfam19h") && kernels_named("avx2") != nullptr) return &avx2_kernels;
#endif
  for (const char* name : {"avx512", "avx2"})
    if (const Kernels* kernels = kernels_named(name)) return kernels;
  return &generic_kernels;
}

const Kernels* best_bf16_kernels() {
  for (const char* name : {"amx-bf16", "avx512-bf16"})
    if (const Kernels* kernels = kernels_named(name)) return kernels;
  return nullptr;
}

}  // namespace unetseg::fused
