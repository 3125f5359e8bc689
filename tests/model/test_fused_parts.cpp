// SPDX-License-Identifier: MIT
// The fused engine's pool of threads and its plan of memory, by themselves.
#include <atomic>
#include <random>
#include <stdexcept>
#include <thread>

#include "model/engine/fused/arena.h"
#include "model/engine/fused/thread_pool.h"

#include "tests/assertions.h"

using namespace unetseg::fused;

namespace {

START_TEST(test_stages_follow_each_other_and_every_chunk_runs_once) {
  for (const unsigned threads : {1u, 2u, 4u}) {
    ThreadPool pool(threads);
    constexpr int kStages = 5, kChunks = 40;
    std::atomic<int> runs[kStages][kChunks] = {};
    std::atomic<int> finished{0};
    std::atomic<bool> in_order{true}, thread_known{true};
    std::vector<Stage> stages;
    for (int s = 0; s < kStages; ++s)
      stages.push_back({kChunks - s,
                        [&, s](int chunk, unsigned thread) {
                          ++runs[s][chunk];
                          if (finished != s) in_order = false;
                          if (thread >= pool.threads()) thread_known = false;
                        },
                        [&, s] {
                          for (int c = 0; c < kChunks - s; ++c)
                            if (runs[s][c] == 0) in_order = false;
                          ++finished;
                        }});
    for (int run = 1; run <= 200; ++run) {
      finished = 0;
      pool.run(stages);
      ck_assert_int_eq(finished, kStages);
      for (int s = 0; s < kStages; ++s)
        for (int c = 0; c < kChunks; ++c) ck_assert_int_eq(runs[s][c], c < kChunks - s ? run : 0);
    }
    ck_assert(in_order);
    ck_assert(thread_known);
  }
}
END_TEST

START_TEST(test_callers_take_turns) {
  const auto pool = ThreadPool::shared(3);
  ck_assert(pool == ThreadPool::shared(3));
  std::atomic<int> running{0}, chunks{0};
  std::atomic<bool> alone{true};
  const auto caller = [&] {
    const int mine = 1;
    std::vector<Stage> stages;
    stages.push_back({1,
                      [&](int, unsigned) {
                        if ((running += mine) != 1) alone = false;
                      },
                      {}});
    stages.push_back({6, [&](int, unsigned) { ++chunks; }, {}});
    stages.push_back({1, [&](int, unsigned) { running -= mine; }, {}});
    for (int i = 0; i < 100; ++i) pool->run(stages);
  };
  std::vector<std::thread> callers;
  for (int i = 0; i < 4; ++i) callers.emplace_back(caller);
  for (std::thread& thread : callers) thread.join();
  ck_assert(alone);
  ck_assert_int_eq(chunks, 4 * 100 * 6);
}
END_TEST

START_TEST(test_an_exception_reaches_the_caller_and_the_pool_goes_on) {
  ThreadPool pool(2);
  std::atomic<int> later{0};
  std::vector<Stage> stages;
  bool fail = true;
  stages.push_back({8,
                    [&](int chunk, unsigned) {
                      if (fail && chunk == 5) throw std::runtime_error("chunk");
                    },
                    {}});
  stages.push_back({4, [&](int, unsigned) { ++later; }, {}});
  for (int i = 0; i < 20; ++i) {
    fail = true;
    bool thrown = false;
    try {
      pool.run(stages);
    } catch (const std::runtime_error&) {
      thrown = true;
    }
    ck_assert(thrown);
    ck_assert_int_eq(later, 4 * i);
    fail = false;
    pool.run(stages);
  }
}
END_TEST

START_TEST(test_buffers_that_live_together_lie_apart) {
  std::mt19937 random(1);
  for (int round = 0; round < 50; ++round) {
    std::vector<Lifetime> buffers;
    for (int i = 0; i < 30; ++i) {
      const int first = static_cast<int>(random() % 20);
      buffers.push_back({random() % 1000, first, first + static_cast<int>(random() % 6)});
    }
    const Arena arena = plan_arena(buffers);
    std::size_t total = 0, most = 0;
    for (int step = 0; step < 30; ++step) {
      std::size_t live = 0;
      for (const Lifetime& buffer : buffers)
        if (buffer.first <= step && step <= buffer.last) live += buffer.size;
      most = std::max(most, live);
    }
    for (std::size_t i = 0; i < buffers.size(); ++i) {
      total += buffers[i].size;
      ck_assert_uint_eq(arena.offsets[i] % 16, 0);
      ck_assert_uint_le(arena.offsets[i] + buffers[i].size, arena.size);
      for (std::size_t j = 0; j < i; ++j) {
        const bool together =
            buffers[i].first <= buffers[j].last && buffers[j].first <= buffers[i].last;
        const bool apart = arena.offsets[i] + buffers[i].size <= arena.offsets[j] ||
                           arena.offsets[j] + buffers[j].size <= arena.offsets[i];
        ck_assert(!together || apart || buffers[i].size == 0 || buffers[j].size == 0);
      }
    }
    ck_assert_uint_lt(arena.size, total);     // memory is used again
    ck_assert_uint_lt(arena.size, 2 * most);  // and not much is lost between
  }
}
END_TEST

}  // namespace

int main() {
  Suite* suite = suite_create("parts of the fused engine");
  TCase* tests = tcase_create("parts");
  tcase_set_timeout(tests, 60);
  tcase_add_test(tests, test_stages_follow_each_other_and_every_chunk_runs_once);
  tcase_add_test(tests, test_callers_take_turns);
  tcase_add_test(tests, test_an_exception_reaches_the_caller_and_the_pool_goes_on);
  tcase_add_test(tests, test_buffers_that_live_together_lie_apart);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
