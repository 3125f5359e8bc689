// SPDX-License-Identifier: MIT
// The thread that works for a session: order, exceptions, flushes, deadlines.
#include "plugin/worker.h"

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <stdexcept>
#include <thread>

#include "tests/check.h"

using unetseg::in_time;
using unetseg::Waited;
using unetseg::Worker;

namespace {

// A job waits here until the test opens it.
class Door {
 public:
  void open() {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      open_ = true;
    }
    changed_.notify_all();
  }
  void wait() {
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait(lock, [this] { return open_; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool open_ = false;
};

bool throws(const std::function<void()>& call) {
  try {
    call();
  } catch (const std::runtime_error&) {
    return true;
  }
  return false;
}

void fail_job() {
  throw std::runtime_error("job");
}

}  // namespace

START_TEST(test_all_jobs_run_on_one_thread_that_is_not_the_callers) {
  Worker worker;
  worker.set_flushing(false);
  std::thread::id first, second;
  worker.run([&] { first = std::this_thread::get_id(); });
  ck_assert(worker.post([&] { second = std::this_thread::get_id(); }));
  ck_assert(worker.wait() == Waited::done);
  ck_assert(first == second);
  ck_assert(first != std::this_thread::get_id());
}
END_TEST

START_TEST(test_run_works_while_flushing_and_posting_does_not) {
  Worker worker;  // flushing from the start
  bool ran = false, posted = false;
  worker.run([&] { ran = true; });
  ck_assert(ran);
  ck_assert(!worker.post([&] { posted = true; }));
  ck_assert(worker.wait() == Waited::flushing);
  worker.drain();
  ck_assert(!posted);
}
END_TEST

START_TEST(test_what_a_job_throws_comes_to_whoever_waits_for_it_once) {
  Worker worker;
  worker.set_flushing(false);
  ck_assert(throws([&] { worker.run(fail_job); }));
  ck_assert(worker.post(fail_job));
  ck_assert(throws([&] { worker.wait(); }));
  ck_assert(worker.wait() == Waited::done);
  worker.run([] {});
}
END_TEST

START_TEST(test_what_nobody_waited_for_is_dropped) {
  Worker worker;
  worker.set_flushing(false);
  ck_assert(worker.post(fail_job));
  worker.drain();
  ck_assert(!worker.is_busy());
  ck_assert(worker.post([] {}));  // the next job takes its place
  ck_assert(worker.wait() == Waited::done);
}
END_TEST

START_TEST(test_s5_a_flush_ends_the_wait_but_not_the_job) {
  Worker worker;
  worker.set_flushing(false);
  Door door;
  std::atomic<bool> done{false};
  ck_assert(worker.post([&] {
    door.wait();
    done = true;
  }));
  std::thread flusher([&] { worker.set_flushing(true); });
  ck_assert(worker.wait() == Waited::flushing);
  flusher.join();
  ck_assert(!done);

  worker.set_flushing(false);
  bool in_order = false;
  std::thread opener([&] { door.open(); });
  ck_assert(worker.post([&] { in_order = done; }));  // waits for the job before it
  ck_assert(worker.wait() == Waited::done);
  opener.join();
  ck_assert(in_order);
}
END_TEST

START_TEST(test_s8_draining_and_destruction_wait_for_the_job) {
  for (const bool drains : {true, false}) {
    std::atomic<bool> done{false};
    Door door;
    std::thread opener;
    {
      Worker worker;
      worker.set_flushing(false);
      ck_assert(worker.post([&] {
        door.wait();
        done = true;
      }));
      worker.set_flushing(true);
      opener = std::thread([&] { door.open(); });
      if (drains) {
        worker.drain();
        ck_assert(done);
      }
    }
    ck_assert(done);
    opener.join();
  }
}
END_TEST

START_TEST(test_b9_a_deadline_ends_the_wait_but_not_the_job) {
  Worker worker;
  worker.set_flushing(false);
  Door door;
  ck_assert(worker.post([&] { door.wait(); }));
  ck_assert(worker.wait(in_time(1000000)) == Waited::late);
  ck_assert(worker.wait_until_idle(in_time(0)) == Waited::late);
  ck_assert(!worker.drain(in_time(0)));
  ck_assert(worker.is_busy());
  door.open();
  ck_assert(worker.wait() == Waited::done);
  ck_assert(worker.wait(in_time(0)) == Waited::done);  // a wait that is over is not late
}
END_TEST

START_TEST(test_b9_a_thread_that_was_left_ends_when_its_job_does) {
  for (const bool returns_first : {false, true}) {
    Worker* worker = new Worker;
    worker->set_flushing(false);
    Door door, gone;
    std::thread::id thread, last;
    ck_assert(worker->post([&] {
      thread = std::this_thread::get_id();
      door.wait();
    }));
    if (returns_first) {
      door.open();
      worker->drain();
    }
    worker->leave([&] {
      last = std::this_thread::get_id();
      delete worker;
      gone.open();
    });
    door.open();
    gone.wait();
    ck_assert(thread == last);
  }
}
END_TEST

int main() {
  Suite* suite = suite_create("worker");
  TCase* tests = tcase_create("jobs");
  tcase_set_timeout(tests, 20);
  tcase_add_test(tests, test_all_jobs_run_on_one_thread_that_is_not_the_callers);
  tcase_add_test(tests, test_run_works_while_flushing_and_posting_does_not);
  tcase_add_test(tests, test_what_a_job_throws_comes_to_whoever_waits_for_it_once);
  tcase_add_test(tests, test_what_nobody_waited_for_is_dropped);
  tcase_add_test(tests, test_s5_a_flush_ends_the_wait_but_not_the_job);
  tcase_add_test(tests, test_s8_draining_and_destruction_wait_for_the_job);
  tcase_add_test(tests, test_b9_a_deadline_ends_the_wait_but_not_the_job);
  tcase_add_test(tests, test_b9_a_thread_that_was_left_ends_when_its_job_does);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
