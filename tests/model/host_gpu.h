// SPDX-License-Identifier: MIT
// A GPU that the processor plays: kernels run block by block and thread by thread. What is put into
// a stream waits there until an event or finish() asks for it, so that whoever reads results too
// early, or reuses memory that is still needed, is found out.
#pragma once

#include <cstdlib>
#include <cstring>
#include <deque>
#include <functional>
#include <map>
#include <new>
#include <utility>

#include "model/error.h"
#include "model/frame/cuda/gpu.h"

struct HostBlock {
  int threads;
  template <typename Step>
  void each(Step step) const {
    for (int thread = 0; thread < threads; ++thread) step(thread);
  }
};

class HostGpu final : public unetseg::Gpu {
 public:
  // What tests look at and change.
  struct Record {
    std::size_t allocations = 0, kernels = 0, downloads = 0;
    bool is_full = false;  // allocations fail
    int wrong_by = 0;      // overlays end with this much in the frame's first byte
    std::map<void*, std::deque<std::function<void()>>> streams;

    void finish(void* stream) { finish(stream, streams[stream].size()); }
    void finish(void* stream, std::size_t steps) {
      auto& queue = streams[stream];
      for (; steps > 0 && !queue.empty(); --steps) {
        const std::function<void()> next = std::move(queue.front());
        queue.pop_front();
        next();
      }
    }
  };

  // What a stream that waits for the event of this handle does.
  static void wait_for(void* handle) { static_cast<Event*>(handle)->wait(); }

  explicit HostGpu(Record& record) : record_(record) {}

  void* allocate(std::size_t bytes) override {
    if (record_.is_full) throw unetseg::Error(unetseg::Fault::no_space, "The GPU is full.");
    ++record_.allocations;
    return std::memset(std::malloc(bytes), 0xff, bytes);  // not-a-numbers
  }
  void free(void* memory) noexcept override { std::free(memory); }
  void* allocate_host(std::size_t bytes) override { return allocate(bytes); }
  void free_host(void* memory) noexcept override { std::free(memory); }
  std::unique_ptr<unetseg::GpuEvent> make_event() override {
    return std::make_unique<Event>(record_);
  }
  void* own_stream() override { return this; }

  void upload(void* to, const void* from_host, std::size_t bytes, void* stream) override {
    copy(to, from_host, bytes, stream);
  }
  void download(void* to_host, const void* from, std::size_t bytes, void* stream) override {
    ++record_.downloads;
    copy(to_host, from, bytes, stream);
  }
  void run(const unetseg::SamplingJob& job, void* stream) override {
    put(stream, [job, this] {
      ++record_.kernels;
      for (int y = 0; y < job.input_height; ++y)
        for (int x = 0; x < job.blocks_across(); ++x) {
          unetseg::SamplingScratch scratch;
          std::memset(&scratch, 0xff, sizeof scratch);
          unetseg::sample_block(job, x, y, HostBlock{unetseg::kSamplingThreads}, scratch);
        }
    });
  }
  void run(const unetseg::OverlayJob& job, void* stream) override {
    put(stream, [job, this] {
      ++record_.kernels;
      for (int strip = 0; strip < job.strip_count; ++strip)
        for (int x = 0; x < job.tiles_across(); ++x) {
          unetseg::OverlayScratch scratch;
          std::memset(static_cast<void*>(&scratch), 0xff, sizeof scratch);
          unetseg::overlay_block(job, x, job.first_strip + strip,
                                 HostBlock{unetseg::kDrawingThreads}, scratch);
        }
      *job.plane[0].first = static_cast<std::uint8_t>(*job.plane[0].first + record_.wrong_by);
    });
  }
  void run(const unetseg::ValuesJob& job, void* stream) override {
    put(stream, [job, this] {
      ++record_.kernels;
      for (int y = 0; y < job.height; ++y)
        for (int x = 0; x < job.width; ++x) unetseg::write_value(job, x, y);
    });
  }

 private:
  class Event final : public unetseg::GpuEvent {
   public:
    explicit Event(Record& record) : record_(record) {}
    ~Event() override { wait(); }
    void record(void* stream) override {
      mark_ = std::make_shared<bool>(false);
      stream_ = stream;
      record_.streams[stream].push_back([mark = mark_] { *mark = true; });
    }
    void wait() override {
      while (mark_ && !*mark_) record_.finish(stream_, 1);
    }
    void* handle() const override { return const_cast<Event*>(this); }

   private:
    Record& record_;
    void* stream_ = nullptr;
    std::shared_ptr<bool> mark_;
  };

  void put(void* stream, std::function<void()> step) {
    record_.streams[stream].push_back(std::move(step));
  }
  void copy(void* to, const void* from, std::size_t bytes, void* stream) {
    put(stream, [=] { std::memcpy(to, from, bytes); });
  }

  Record& record_;
};
