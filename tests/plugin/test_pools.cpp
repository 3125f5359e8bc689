// SPDX-License-Identifier: MIT
// Where output frames come from, and what the element does where there is no memory (C13).
#include "tests/plugin/failing_memory.h"
#include "tests/plugin/mask_sink.h"

namespace {

const std::string kCaps = caps_of("GRAY8", 8, 8);

// What the element after this one answers to an ALLOCATION query; borrows all.
struct Offer {
  GstBufferPool* pool = nullptr;
  GstAllocator* allocator = nullptr;
  guint size = 64, least = 0, most = 0;
  int asked = 0;
};

GstPadProbeReturn answer_allocation(GstPad*, GstPadProbeInfo* info, gpointer data) {
  GstQuery* query = GST_PAD_PROBE_INFO_QUERY(info);
  if (GST_QUERY_TYPE(query) != GST_QUERY_ALLOCATION) return GST_PAD_PROBE_OK;
  Offer& offer = *static_cast<Offer*>(data);
  ++offer.asked;
  if (offer.allocator) gst_query_add_allocation_param(query, offer.allocator, nullptr);
  if (offer.pool)
    gst_query_add_allocation_pool(query, offer.pool, offer.size, offer.least, offer.most);
  return GST_PAD_PROBE_HANDLED;
}

void make_offer(Bench& bench, Offer* offer) {
  gst_pad_add_probe(
      bench.harness()->sinkpad,
      static_cast<GstPadProbeType>(GST_PAD_PROBE_TYPE_QUERY_DOWNSTREAM | GST_PAD_PROBE_TYPE_PUSH),
      answer_allocation, offer, nullptr);
}

BufferPtr frame() {
  return bytes_buffer(64, 200);
}

TestPool* new_pool(PoolFault fault) {
  TestPool* pool = TEST_POOL(gst_object_ref_sink(g_object_new(TEST_TYPE_POOL, nullptr)));
  pool->fault = fault;
  return pool;
}

TestAllocator* new_allocator(bool fails) {
  auto* allocator = TEST_ALLOCATOR(gst_object_ref_sink(g_object_new(TEST_TYPE_ALLOCATOR, nullptr)));
  allocator->fails = fails;
  return allocator;
}

// How many frames are still held as each mask comes out.
struct Held {
  int frames = 0;
  std::vector<int> at_masks;
};

GstPadProbeReturn note_held(GstPad*, GstPadProbeInfo*, gpointer data) {
  Held& held = *static_cast<Held*>(data);
  held.at_masks.push_back(held.frames);
  return GST_PAD_PROBE_OK;
}

void push_watched(Bench& bench, BufferPtr frame, Held* held) {
  ++held->frames;
  gst_mini_object_weak_ref(
      GST_MINI_OBJECT(frame.get()),
      [](gpointer data, GstMiniObject*) { --static_cast<Held*>(data)->frames; }, held);
  ck_assert_int_eq(bench.push(std::move(frame)), GST_FLOW_OK);
}

}  // namespace

START_TEST(test_masks_come_from_downstreams_pool_and_overlays_from_their_frames) {
  for (const char* output : {"mask", "overlay"}) {
    TestPool* pool = new_pool(PoolFault::none);
    Offer offer;
    offer.pool = GST_BUFFER_POOL(pool);
    {
      Bench bench({{"output", output}});
      make_offer(bench, &offer);
      ck_assert(bench.send_caps(kCaps));
      for (int i = 0; i < 3; ++i) ck_assert_int_eq(bench.push(frame()), GST_FLOW_OK);
      // A shared frame's copy is not from a pool that upstream may have been given.
      BufferPtr shared = frame();
      const BufferPtr other(gst_buffer_ref(shared.get()));
      ck_assert_int_eq(bench.push(std::move(shared)), GST_FLOW_OK);
      ck_assert_int_eq(pool->acquired, std::string(output) == "mask" ? 4 : 0);
    }
    ck_assert(!gst_buffer_pool_is_active(GST_BUFFER_POOL(pool)));
    ck_assert_int_eq(GST_OBJECT_REFCOUNT_VALUE(pool), 1);
    gst_object_unref(pool);
  }
}
END_TEST

START_TEST(test_c13_a_pool_that_does_not_start_is_replaced) {
  for (const PoolFault fault : {PoolFault::configure, PoolFault::start}) {
    TestPool* pool = new_pool(fault);
    Offer offer;
    offer.pool = GST_BUFFER_POOL(pool);
    {
      Bench bench({{"output", "mask"}});
      make_offer(bench, &offer);
      ck_assert(bench.send_caps(kCaps));
      ck_assert_int_eq(bench.push(frame()), GST_FLOW_OK);
      ck_assert(is_uniform(bench.pull().get(), 255));
      ck_assert_uint_eq(bench.errors().size(), 0);
    }
    ck_assert_int_eq(GST_OBJECT_REFCOUNT_VALUE(pool), 1);
    gst_object_unref(pool);
  }
}
END_TEST

START_TEST(test_c13_a_pool_of_its_own_that_does_not_start_is_an_error_that_says_so) {
  for (const char* output : {"mask", "overlay"})
    for (const PoolFault fault : {PoolFault::configure, PoolFault::start}) {
      Bench bench({{"output", output}});
      {
        const OwnPoolsFail failing(fault);
        ck_assert(bench.send_caps(kCaps));
        ck_assert_int_eq(bench.push(frame()), GST_FLOW_ERROR);
        assert_only(bench.errors(), GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS, "memory");
        ck_assert(bench.pull() == nullptr);
      }
      // The cause is cured.
      ck_assert_int_eq(bench.push(frame()), GST_FLOW_OK);
      ck_assert(bench.pull() != nullptr);
      ck_assert_uint_eq(bench.errors().size(), 0);
    }
}
END_TEST

START_TEST(test_c13_no_buffer_is_an_error_that_says_so) {
  TestPool* pool = new_pool(PoolFault::acquire);
  TestAllocator* allocator = new_allocator(true);
  Offer from_pool, from_allocator;
  from_pool.pool = GST_BUFFER_POOL(pool);
  from_allocator.allocator = GST_ALLOCATOR(allocator);
  for (Offer* offer : {&from_pool, &from_allocator}) {
    Bench bench({{"output", "mask"}});
    make_offer(bench, offer);
    ck_assert(bench.send_caps(kCaps));
    ck_assert_int_eq(bench.push(frame()), GST_FLOW_ERROR);
    assert_only(bench.errors(), GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NO_SPACE_LEFT, "memory");
    ck_assert(bench.pull() == nullptr);
    // The cause is cured.
    if (offer == &from_pool)
      pool->fault = PoolFault::none;
    else
      allocator->fails = FALSE;
    ck_assert_int_eq(bench.push(frame()), GST_FLOW_OK);
    ck_assert(is_uniform(bench.pull().get(), 255));
  }
  gst_object_unref(pool);
  gst_object_unref(allocator);
}
END_TEST

// Buffers that must be there from the start and cannot be.
START_TEST(test_c13_memory_that_cannot_be_set_up_is_an_error_that_says_so) {
  TestPool* pool = new_pool(PoolFault::none);
  TestAllocator* allocator = new_allocator(true);
  Offer offer;
  offer.pool = GST_BUFFER_POOL(pool);
  offer.allocator = GST_ALLOCATOR(allocator);
  offer.least = 2;
  {
    Bench bench({{"output", "mask"}});
    make_offer(bench, &offer);
    bench.send_caps(kCaps);
    ck_assert_int_eq(bench.push(frame()), GST_FLOW_ERROR);
    assert_only(bench.errors(), GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NO_SPACE_LEFT, "memory");
    allocator->fails = FALSE;
    ck_assert_int_eq(bench.push(frame()), GST_FLOW_OK);
  }
  gst_object_unref(pool);
  gst_object_unref(allocator);
}
END_TEST

START_TEST(test_a_pool_with_larger_buffers_is_used_as_it_is) {
  TestPool* pool = new_pool(PoolFault::none);
  Offer offer;
  offer.pool = GST_BUFFER_POOL(pool);
  offer.size = 1000;
  {
    Bench bench({{"output", "mask"}});
    make_offer(bench, &offer);
    ck_assert(bench.send_caps(kCaps));
    ck_assert_int_eq(bench.push(frame()), GST_FLOW_OK);
    const BufferPtr mask = bench.pull();
    ck_assert_int_eq(pool->acquired, 1);
    const std::vector<guint8> bytes = bytes_of(mask.get());
    ck_assert(bytes.size() >= 64 &&
              std::all_of(bytes.begin(), bytes.begin() + 64, [](guint8 b) { return b == 255; }));
  }
  gst_object_unref(pool);
}
END_TEST

START_TEST(test_a_reconfigure_event_asks_downstream_again) {
  Offer offer;
  Bench bench({{"output", "mask"}});
  make_offer(bench, &offer);
  ck_assert(bench.send_caps(kCaps));
  ck_assert_int_eq(bench.push(frame()), GST_FLOW_OK);
  const int asked = offer.asked;
  ck_assert_int_eq(bench.push(frame()), GST_FLOW_OK);
  ck_assert_int_eq(offer.asked, asked);
  gst_harness_push_upstream_event(bench.harness(), gst_event_new_reconfigure());
  ck_assert_int_eq(bench.push(frame()), GST_FLOW_OK);
  ck_assert_int_eq(offer.asked, asked + 1);
}
END_TEST

// What comes after may keep a mask until it is time to show it, and a camera has few buffers.
START_TEST(test_a_frame_is_let_go_of_before_its_masks_leave) {
  for (const char* output : {"mask", "probability"})
    for (const char* mode : {"every-frame", "latest"})
      for (const char* batch : {"1", "3"}) {
        const bool waits = std::string(batch) == "3" && std::string(mode) == "every-frame";
        Held held;
        Bench bench({{"output", output}, {"mode", mode}, {"batch-size", batch}});
        MaskSink masks(bench);
        ck_assert(bench.send_caps(kCaps));
        for (GstHarness* sink : {bench.harness(), masks.harness()})
          gst_pad_add_probe(sink->sinkpad, GST_PAD_PROBE_TYPE_BUFFER, note_held, &held, nullptr);
        for (int i = 0; i < 3; ++i) push_watched(bench, frame(), &held);
        ck_assert(held.at_masks ==
                  (waits ? std::vector<int>{2, 2, 1, 1, 0, 0} : std::vector<int>(6, 0)));
      }
}
END_TEST

START_TEST(test_a_frame_that_cannot_leave_is_let_go_of_before_its_mask_leaves) {
  Held held;
  Bench bench({{"on-error", "pass"}});
  MaskSink masks(bench);
  ck_assert(bench.send_caps(kCaps));
  gst_pad_add_probe(masks.harness()->sinkpad, GST_PAD_PROBE_TYPE_BUFFER, note_held, &held, nullptr);
  push_watched(bench, bytes_buffer(63, 200), &held);
  ck_assert(held.at_masks == std::vector<int>{0});
  ck_assert(bench.pull() == nullptr);
}
END_TEST

START_TEST(test_masks_outlive_the_element) {
  BufferPtr mask;
  {
    Bench bench({{"output", "mask"}});
    ck_assert(bench.send_caps(kCaps));
    ck_assert_int_eq(bench.push(frame()), GST_FLOW_OK);
    mask = bench.pull();
  }
  ck_assert(is_uniform(mask.get(), 255));
}
END_TEST

int main(int argc, char** argv) {
  gst_check_init(&argc, &argv);
  Suite* suite = suite_create("pools");
  TCase* tests = tcase_create("memory");
  tcase_add_test(tests, test_masks_come_from_downstreams_pool_and_overlays_from_their_frames);
  tcase_add_test(tests, test_c13_a_pool_that_does_not_start_is_replaced);
  tcase_add_test(tests, test_c13_a_pool_of_its_own_that_does_not_start_is_an_error_that_says_so);
  tcase_add_test(tests, test_c13_no_buffer_is_an_error_that_says_so);
  tcase_add_test(tests, test_c13_memory_that_cannot_be_set_up_is_an_error_that_says_so);
  tcase_add_test(tests, test_a_pool_with_larger_buffers_is_used_as_it_is);
  tcase_add_test(tests, test_a_reconfigure_event_asks_downstream_again);
  tcase_add_test(tests, test_a_frame_is_let_go_of_before_its_masks_leave);
  tcase_add_test(tests, test_a_frame_that_cannot_leave_is_let_go_of_before_its_mask_leaves);
  tcase_add_test(tests, test_masks_outlive_the_element);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
