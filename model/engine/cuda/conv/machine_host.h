// SPDX-License-Identifier: MIT
// What a block of a convolution is run by on the CPU: its threads and warps one after the other.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>

#include "model/engine/cuda/conv/geometry.h"

namespace unetseg::cuda {

// See machine_device.h. Copies end at once.
struct HostMachine {
  template <typename Values>
  struct PerWarp {
    Values& operator[](int warp) { return values[warp]; }
    Values values[kConvWarps];
  };

  template <typename Step>
  void each(Step step) const {
    for (int thread = 0; thread < kConvThreads; ++thread) step(thread);
  }
  template <typename Step>
  void each_warp(Step step) const {
    for (int warp = 0; warp < kConvWarps; ++warp) step(warp);
  }
  template <typename Job>
  void touch(const Job&) const {}
  float inverse_root(float value) const { return 1 / std::sqrt(value); }
  void copy(void* shared, const void* from) const { std::memcpy(shared, from, 16); }
  void copies_end() const {}
  void let_the_next_begin() const {}
  void wait_for_those_before() const {}
  unsigned load(const unsigned* from) const { return *from; }
  template <typename Vector>
  Vector load_vector(const void* from) const {
    Vector vector;
    std::memcpy(&vector, from, sizeof vector);
    return vector;
  }
  void store_pair(float* at, float first, float second) const {
    at[0] = first;
    at[1] = second;
  }
  void add(std::int64_t* to, double value) const { *to += std::llrint(value); }
  void set(unsigned* flag) const { *flag = 1; }
};

// The matrices of a warp as a whole, where each thread has some of the device's.
template <typename T>
struct HostMatrices {
  struct Rows {
    int offsets[kMatrixRows];
  };
  struct A {
    float values[kMatrixRows][kMatrixDepth];
  };
  struct B {
    float values[kMatrixDepth][kMatrixColumns];
  };
  struct C {
    float values[kMatrixRows][kMatrixColumns];
  };

  template <typename OffsetOf>
  static Rows rows(OffsetOf offset_of) {
    Rows rows;
    for (int row = 0; row < kMatrixRows; ++row) rows.offsets[row] = offset_of(row);
    return rows;
  }
  static void load(A* a, const char* shared, const Rows& rows) {
    for (int row = 0; row < kMatrixRows; ++row) {
      const T* from = reinterpret_cast<const T*>(shared + rows.offsets[row]);
      for (int k = 0; k < kMatrixDepth; ++k) a->values[row][k] = to_float(from[k]);
    }
  }
  static void load_pair(B* b, const T* packed) {
    load_one(b, packed, 0);
    load_one(b + 1, packed, 1);
  }
  static void load_one(B* b, const T* packed, int which) {
    for (int k = 0; k < kMatrixDepth; ++k)
      for (int n = 0; n < kMatrixColumns; ++n)
        b->values[k][n] = to_float(packed[packed_place(k, which * kMatrixColumns + n)]);
  }
  static void clear(C* c) { std::memset(c, 0, sizeof *c); }
  static void multiply(C* c, const A& a, const B& b) {
    for (int row = 0; row < kMatrixRows; ++row)
      for (int k = 0; k < kMatrixDepth; ++k)
        for (int column = 0; column < kMatrixColumns; ++column)
          c->values[row][column] += a.values[row][k] * b.values[k][column];
  }
  template <typename Store>
  static void each_pair(const C& c, Store store) {
    for (int row = 0; row < kMatrixRows; ++row)
      for (int column = 0; column < kMatrixColumns; column += 2)
        store(row, column, c.values[row][column], c.values[row][column + 1]);
  }
};

}  // namespace unetseg::cuda
