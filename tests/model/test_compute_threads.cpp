// SPDX-License-Identifier: MIT
// The threads that sessions hand their inferences to.
#include "model/engine/compute_threads.h"

#include <atomic>
#include <set>
#include <stdexcept>
#include <thread>

#include "tests/check.h"

using unetseg::ComputeThreads;

namespace {

const auto kNothing = [] {};

// Runs `job` from `n` threads at the same time.
void from_threads(int n, const std::function<void(int)>& job) {
  std::vector<std::thread> callers;
  for (int i = 0; i < n; ++i) callers.emplace_back(job, i);
  for (std::thread& caller : callers) caller.join();
}

}  // namespace

START_TEST(test_jobs_run_on_one_other_thread_where_a_team_takes_all_cores) {
  ComputeThreads threads(g_get_num_processors(), kNothing);
  std::set<std::thread::id> leaders;  // one job runs at a time
  int running = 0;
  from_threads(8, [&](int) {
    for (int i = 0; i < 50; ++i)
      threads.run([&] {
        ck_assert_int_eq(++running, 1);
        leaders.insert(std::this_thread::get_id());
        --running;
      });
  });
  ck_assert_uint_eq(leaders.size(), 1);
  ck_assert(*leaders.begin() != std::this_thread::get_id());
}
END_TEST

START_TEST(test_there_are_as_many_teams_as_the_cores_have_room_for) {
  std::atomic<unsigned> started{0};
  {
    ComputeThreads threads(1, [&] { ++started; });
    ck_assert_uint_eq(started, 0);
    std::atomic<unsigned> waiting{0};
    const unsigned cores = g_get_num_processors();
    // None of these ends before all have begun.
    from_threads(static_cast<int>(cores), [&](int) {
      threads.run([&] {
        ++waiting;
        while (waiting < cores) std::this_thread::yield();
      });
    });
    from_threads(64, [&](int) { threads.run(kNothing); });
    ck_assert_uint_eq(started, cores);
  }
  ck_assert_uint_eq(started, g_get_num_processors());
}
END_TEST

START_TEST(test_one_after_the_other_needs_one_team) {
  std::atomic<unsigned> started{0};
  ComputeThreads threads(1, [&] { ++started; });
  int done = 0;
  for (int i = 0; i < 100; ++i) threads.run([&] { ++done; });
  ck_assert_int_eq(done, 100);
  // A leader that has just finished may not be idle yet when the next job comes.
  ck_assert_uint_le(started, 2);
}
END_TEST

START_TEST(test_what_a_job_throws_reaches_its_caller_alone) {
  ComputeThreads threads(1, kNothing);
  std::atomic<int> caught{0}, done{0};
  from_threads(6, [&](int i) {
    for (int k = 0; k < 20; ++k) try {
        threads.run([&] {
          if (i % 2 == 0) throw std::runtime_error(std::to_string(i));
          ++done;
        });
      } catch (const std::runtime_error& error) {
        ck_assert_int_eq(std::atoi(error.what()), i);
        ++caught;
      }
  });
  ck_assert_int_eq(caught, 60);
  ck_assert_int_eq(done, 60);
}
END_TEST

START_TEST(test_sessions_share_them_as_long_as_one_is_open) {
  std::atomic<int> first{0}, second{0};
  auto a = ComputeThreads::shared(3, [&] { ++first; });
  auto b = ComputeThreads::shared(3, [&] { ++second; });
  ck_assert(a == b);
  ck_assert(a != ComputeThreads::shared(2, kNothing));
  b->run(kNothing);
  ck_assert_int_eq(first, 1);
  a.reset();
  b.reset();
  ComputeThreads::shared(3, [&] { ++second; })->run(kNothing);
  ck_assert_int_eq(first, 1);
  ck_assert_int_eq(second, 1);
}
END_TEST

int main() {
  Suite* suite = suite_create("compute threads");
  TCase* tests = tcase_create("sharing");
  tcase_add_test(tests, test_jobs_run_on_one_other_thread_where_a_team_takes_all_cores);
  tcase_add_test(tests, test_there_are_as_many_teams_as_the_cores_have_room_for);
  tcase_add_test(tests, test_one_after_the_other_needs_one_team);
  tcase_add_test(tests, test_what_a_job_throws_reaches_its_caller_alone);
  tcase_add_test(tests, test_sessions_share_them_as_long_as_one_is_open);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
