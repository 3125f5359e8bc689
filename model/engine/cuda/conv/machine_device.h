// SPDX-License-Identifier: MIT
// What a block of a convolution is run by on a GPU: its threads, its copies, its tensor cores.
#pragma once

#include <cuda_fp16.h>

#include <type_traits>

#include "model/engine/cuda/conv/geometry.h"

namespace unetseg::cuda {

// For the whole block. See machine_host.h for the same on the CPU.
struct DeviceMachine {
  template <typename Values>
  struct PerWarp {
    __device__ Values& operator[](int) { return values; }
    Values values;
  };

  template <typename Step>
  __device__ void each(Step step) const {
    step(static_cast<int>(threadIdx.x));
    __syncthreads();
  }
  template <typename Step>
  __device__ void each_warp(Step step) const {
    step(static_cast<int>(threadIdx.x / 32));
    __syncthreads();
  }

  // Brings what kernels are called with into the processor's caches while there is time.
  template <typename Job>
  __device__ void touch(const Job& job) const {
    constexpr int kLine = 64 / sizeof(int), kLines = sizeof(Job) / sizeof(int) / kLine;
    const int word = reinterpret_cast<const int*>(&job)[threadIdx.x % kLines * kLine];
    asm volatile("" ::"r"(word));
  }
  __device__ float inverse_root(float value) const { return rsqrtf(value); }

  // 16 bytes to shared memory, under way until copies_end().
  __device__ void copy(void* shared, const void* from) const {
    const unsigned to = static_cast<unsigned>(__cvta_generic_to_shared(shared));
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16;" ::"r"(to), "l"(from) : "memory");
  }
  __device__ void copies_end() const { asm volatile("cp.async.wait_all;" ::: "memory"); }

  // What kernels before this one wrote may be read only after the wait.
  __device__ void let_the_next_begin() const {
#if __CUDA_ARCH__ >= 900
    asm volatile("griddepcontrol.launch_dependents;" ::: "memory");
#endif
  }
  __device__ void wait_for_those_before() const {
#if __CUDA_ARCH__ >= 900
    asm volatile("griddepcontrol.wait;" ::: "memory");
#endif
  }

  // Past this processor's own cache, which does not see what other kernels write meanwhile.
  __device__ unsigned load(const unsigned* from) const {
    return __ldcg(from);
  }
  template <typename Vector>
  __device__ Vector load_vector(const void* from) const {
    static_assert(sizeof(Vector) == sizeof(uint4), "16 bytes");
    union Both {
      __device__ Both() {}
      uint4 bits;
      Vector vector;
    } both;
    both.bits = __ldcg(static_cast<const uint4*>(from));
    return both.vector;
  }

  __device__ void store_pair(float* at, float first, float second) const {
    *reinterpret_cast<float2*>(at) = make_float2(first, second);
  }

  // What other blocks do too, at any time.
  __device__ void add(std::int64_t* to, double value) const {
    atomicAdd(reinterpret_cast<unsigned long long*>(to),
              static_cast<unsigned long long>(__double2ll_rn(value)));
  }
  __device__ void set(unsigned* flag) const {
    atomicOr(flag, 1u);
  }
};

// For a warp, of numbers T: matrices as tensor cores take them.
template <typename T>
struct DeviceMatrices {
  struct Rows {
    int offset;
  };
  struct A {
    unsigned bits[4];
  };
  struct B {
    uint2 bits;
  };
  struct C {
    float values[4];
  };

  // `offset_of(row)`: bytes to where a row of A begins.
  template <typename OffsetOf>
  static __device__ Rows rows(OffsetOf offset_of) {
    const int lane = threadIdx.x % 32;
    return {offset_of(lane % kMatrixRows) + lane / kMatrixRows * 16};
  }
  static __device__ void load(A* a, const char* shared, const Rows& rows) {
    const unsigned from = static_cast<unsigned>(__cvta_generic_to_shared(shared + rows.offset));
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(a->bits[0]), "=r"(a->bits[1]), "=r"(a->bits[2]), "=r"(a->bits[3])
                 : "r"(from));
  }
  static __device__ void load_pair(B* b, const T* packed) {
    const uint4 bits = reinterpret_cast<const uint4*>(packed)[threadIdx.x % 32];
    b[0].bits = make_uint2(bits.x, bits.y);
    b[1].bits = make_uint2(bits.z, bits.w);
  }
  static __device__ void load_one(B* b, const T* packed, int which) {
    b->bits = reinterpret_cast<const uint2*>(packed)[threadIdx.x % 32 * 2 + which];
  }
  static __device__ void clear(C* c) {
    for (float& value : c->values) value = 0;
  }
  static __device__ void multiply(C* c, const A& a, const B& b) {
    float* v = c->values;
    if constexpr (std::is_same_v<T, Bfloat16>)
      asm volatile(
          "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, "
          "%7}, {%8, %9}, {%0, %1, %2, %3};"
          : "+f"(v[0]), "+f"(v[1]), "+f"(v[2]), "+f"(v[3])
          : "r"(a.bits[0]), "r"(a.bits[1]), "r"(a.bits[2]), "r"(a.bits[3]), "r"(b.bits.x),
            "r"(b.bits.y));
    else
      asm volatile(
          "mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0, %1, %2, %3}, {%4, %5, %6, "
          "%7}, {%8, %9}, {%0, %1, %2, %3};"
          : "+f"(v[0]), "+f"(v[1]), "+f"(v[2]), "+f"(v[3])
          : "r"(a.bits[0]), "r"(a.bits[1]), "r"(a.bits[2]), "r"(a.bits[3]), "r"(b.bits.x),
            "r"(b.bits.y));
  }
  // `store(row, column, values)`: two neighbours of a row.
  template <typename Store>
  static __device__ void each_pair(const C& c, Store store) {
    const int lane = threadIdx.x % 32, row = lane / 4, column = lane % 4 * 2;
    store(row, column, c.values[0], c.values[1]);
    store(row + 8, column, c.values[2], c.values[3]);
  }
};

}  // namespace unetseg::cuda
