// SPDX-License-Identifier: MIT
// Times the element with frames that are there already, in system memory and in a GPU's, in one and
// in several streams. Each case is a line of JSON on standard output.
//
//   element_speed [--frames N] [--set PROPERTY=VALUE]... WIDTHxHEIGHT/MEMORY[/STREAMS[/shared]]...
//
// MEMORY is system or cuda. The few NV12 frames of a stream come again and again, drawn on where
// they lie; `shared` ones belong to somebody else too, and are copied first. Exit code 1: a stream
// has failed, or a frame has left in other memory than it came in.
#include <dlfcn.h>
#include <gst/check/gstharness.h>
#include <gst/video/video.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "plugin/caps.h"
#include "plugin/cuda_device.h"
#include "plugin/pointers.h"

using namespace unetseg;

namespace {

using Clock = std::chrono::steady_clock;
using Properties = std::vector<std::pair<std::string, std::string>>;

constexpr int kWarmUp = 30;
constexpr guint kFramesOfAStream = 4;

struct Case {
  int width = 0, height = 0, streams = 1;
  bool cuda = false, shared = false;
};

bool parse(const std::string& text, Case* out) {
  char memory[8] = "", shared[8] = "";
  const int fields = std::sscanf(text.c_str(), "%dx%d/%7[a-z]/%d/%7s", &out->width, &out->height,
                                 memory, &out->streams, shared);
  out->cuda = std::string(memory) == "cuda";
  out->shared = std::string(shared) == "shared";
  return fields >= 3 && (out->cuda || std::string(memory) == "system") && out->width > 0 &&
         out->height > 0 && out->streams > 0 && (fields < 5 || out->shared);
}

double milliseconds(Clock::duration time) {
  return std::chrono::duration<double, std::milli>(time).count();
}

// Bytes in use on the GPU, by whomever; 0 where there is none.
std::size_t gpu_bytes_in_use() {
  void* const driver = dlopen("libcuda.so.1", RTLD_NOW);
  const auto function = [driver](const char* name) {
    return driver != nullptr ? dlsym(driver, name) : nullptr;
  };
  const auto retain = reinterpret_cast<int (*)(void**, int)>(function("cuDevicePrimaryCtxRetain"));
  const auto release = reinterpret_cast<int (*)(int)>(function("cuDevicePrimaryCtxRelease_v2"));
  const auto push = reinterpret_cast<int (*)(void*)>(function("cuCtxPushCurrent_v2"));
  const auto pop = reinterpret_cast<int (*)(void**)>(function("cuCtxPopCurrent_v2"));
  const auto memory =
      reinterpret_cast<int (*)(std::size_t*, std::size_t*)>(function("cuMemGetInfo_v2"));
  void* context = nullptr;
  if (!retain || !release || !push || !pop || !memory || retain(&context, 0) != 0) return 0;
  std::size_t free = 0, total = 0;
  if (push(context) == 0) {
    memory(&free, &total);
    pop(&context);
  }
  release(0);
  return total - free;
}

double megabytes_of_process() {
  long pages = 0, resident = 0;
  if (FILE* file = std::fopen("/proc/self/statm", "r")) {
    if (std::fscanf(file, "%ld %ld", &pages, &resident) != 2) resident = 0;
    std::fclose(file);
  }
  return static_cast<double>(resident) * 4096 / 1e6;
}

// Skin with a dark spot, a little elsewhere in each frame.
void draw_picture(GstVideoFrame* frame, guint number) {
  const int width = GST_VIDEO_FRAME_WIDTH(frame), height = GST_VIDEO_FRAME_HEIGHT(frame);
  const double middle_x = width * (.48 + .01 * number), middle_y = height * .5;
  const double radius = height * .25;
  const auto is_lesion = [&](double x, double y) {
    const double across = x - middle_x, down = y - middle_y;
    return across * across + down * down < radius * radius;
  };
  for (int y = 0; y < height; ++y) {
    guint8* row = static_cast<guint8*>(GST_VIDEO_FRAME_PLANE_DATA(frame, 0));
    row += static_cast<gint64>(y) * GST_VIDEO_FRAME_PLANE_STRIDE(frame, 0);
    for (int x = 0; x < width; ++x)
      row[x] = static_cast<guint8>((is_lesion(x, y) ? 70 : 170) + (x * 7 + y * 13) % 9);
  }
  for (int y = 0; y < height / 2; ++y) {
    guint8* row = static_cast<guint8*>(GST_VIDEO_FRAME_PLANE_DATA(frame, 1));
    row += static_cast<gint64>(y) * GST_VIDEO_FRAME_PLANE_STRIDE(frame, 1);
    for (int x = 0; x < width / 2; ++x) {
      row[2 * x] = 112;
      row[2 * x + 1] = is_lesion(2 * x, 2 * y) ? 140 : 150;
    }
  }
}

// The element between two pads, and the frames that go through it.
class Stream {
 public:
  Stream(const Case& wanted, const Properties& properties)
      : wanted_(wanted), element_(gst_element_factory_make("unetseg", nullptr)) {
    if (element_ == nullptr) fail("there is no element unetseg: is GST_PLUGIN_PATH right?");
    gst_object_ref_sink(element_);
    for (const auto& p : properties)
      gst_util_set_object_arg(G_OBJECT(element_), p.first.c_str(), p.second.c_str());
    gst_element_set_bus(element_, bus_);
    harness_ = gst_harness_new_with_element(element_, "sink", "src");
    gst_harness_set_live(harness_, FALSE);
    gst_harness_add_propose_allocation_meta(harness_, GST_VIDEO_META_API_TYPE, nullptr);
    gst_pad_add_probe(harness_->sinkpad, GST_PAD_PROBE_TYPE_BUFFER, look_at, this, nullptr);
    gst_harness_set_drop_buffers(harness_, TRUE);
    const std::string caps = std::string("video/x-raw") +
                             (wanted.cuda ? "(" UNETSEG_CUDA_MEMORY_FEATURE ")" : "") +
                             ",format=NV12,framerate=30/1,width=" + std::to_string(wanted.width) +
                             ",height=" + std::to_string(wanted.height);
    caps_.reset(gst_caps_from_string(caps.c_str()));
    gst_harness_set_src_caps(harness_, gst_caps_ref(caps_.get()));
    if (errors()) fail("the element did not start");
    make_frames();
  }
  ~Stream() {
    gst_harness_teardown(harness_);
    gst_object_unref(element_);
    for (GstBuffer* frame : shared_) gst_buffer_unref(frame);
    if (pool_) gst_buffer_pool_set_active(pool_.get(), FALSE);
    gst_object_unref(bus_);
  }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  void run(int frames) {
    times_.clear();
    for (int i = 0; i < frames; ++i) {
      GstBuffer* frame = next_frame();
      GST_BUFFER_PTS(frame) = static_cast<GstClockTime>(++pushed_) * GST_SECOND / 30;
      const Clock::time_point start = Clock::now();
      const GstFlowReturn flow = gst_harness_push(harness_, frame);
      times_.push_back(milliseconds(Clock::now() - start));
      if (flow == GST_FLOW_OK) continue;
      errors();
      fail(gst_flow_get_name(flow));
    }
  }

  const std::vector<double>& times() const { return times_; }
  int pushed() const { return pushed_; }
  int left() const { return left_; }
  int with_lesion() const { return with_lesion_; }
  const std::vector<guint8>& first_frame() const { return first_; }
  bool stays_in_memory() const {
    const CapsPtr out(gst_pad_get_current_caps(harness_->sinkpad));
    return out && are_in_cuda_memory(out.get()) == wanted_.cuda && leaves_as_it_came_;
  }
  std::string text_property(const char* name) const {
    gchar* value = nullptr;
    g_object_get(element_, name, &value, nullptr);
    const StringPtr owned(value);
    return value != nullptr ? value : "";
  }
  std::string model_info(const char* field) const {
    GstStructure* info = nullptr;
    g_object_get(element_, "model-info", &info, nullptr);
    const StructurePtr owned(info);
    const gchar* text = info != nullptr ? gst_structure_get_string(info, field) : nullptr;
    return text != nullptr ? text : "";
  }
  double median_inference() const {
    GstStructure* stats = nullptr;
    g_object_get(element_, "stats", &stats, nullptr);
    const StructurePtr owned(stats);
    guint64 nanoseconds = 0;
    gst_structure_get_uint64(stats, "inference-time-median", &nanoseconds);
    return static_cast<double>(nanoseconds) / 1e6;
  }

 private:
  [[noreturn]] static void fail(const std::string& why) {
    std::fprintf(stderr, "element_speed: %s\n", why.c_str());
    std::exit(1);
  }

  // Prints errors and warnings; true where there was an error.
  bool errors() {
    bool found = false;
    while (GstMessage* message = gst_bus_pop_filtered(
               bus_, static_cast<GstMessageType>(GST_MESSAGE_ERROR | GST_MESSAGE_WARNING))) {
      GError* error = nullptr;
      gchar* detail = nullptr;
      const bool is_error = GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR;
      (is_error ? gst_message_parse_error : gst_message_parse_warning)(message, &error, &detail);
      std::fprintf(stderr, "element_speed: %s (%s)\n", error->message, detail ? detail : "");
      g_error_free(error);
      g_free(detail);
      gst_message_unref(message);
      found |= is_error;
    }
    return found;
  }

  void make_frames() {
    GstVideoInfo info;
    gst_video_info_from_caps(&info, caps_.get());
    if (wanted_.cuda) {
      device_ = CudaDevice::find(text_property("device-in-use"));
      if (!device_) fail("GStreamer has no use of the GPU here (GST_DEBUG=unetseg:4 says why)");
    }
    pool_ = wanted_.cuda ? device_->new_pool() : PoolPtr(gst_video_buffer_pool_new());
    GstStructure* config = gst_buffer_pool_get_config(pool_.get());
    gst_buffer_pool_config_set_params(config, caps_.get(), static_cast<guint>(info.size), 0,
                                      kFramesOfAStream);
    gst_buffer_pool_config_add_option(config, GST_BUFFER_POOL_OPTION_VIDEO_META);
    if (!gst_buffer_pool_set_config(pool_.get(), config) ||
        !gst_buffer_pool_set_active(pool_.get(), TRUE))
      fail("the frames cannot be allocated");
    for (guint i = 0; i < kFramesOfAStream; ++i) {
      GstBuffer* frame = nullptr;
      if (gst_buffer_pool_acquire_buffer(pool_.get(), &frame, nullptr) != GST_FLOW_OK)
        fail("a frame cannot be allocated");
      GstVideoFrame mapped;
      if (!gst_video_frame_map(&mapped, &info, frame, GST_MAP_WRITE))
        fail("a frame cannot be mapped");
      draw_picture(&mapped, i);
      gst_video_frame_unmap(&mapped);
      shared_.push_back(frame);
    }
    if (wanted_.shared) return;
    for (GstBuffer* frame : shared_) gst_buffer_unref(frame);  // back to the pool
    shared_.clear();
  }

  GstBuffer* next_frame() {
    GstBuffer* frame = nullptr;
    if (!wanted_.shared) {
      if (gst_buffer_pool_acquire_buffer(pool_.get(), &frame, nullptr) != GST_FLOW_OK)
        fail("a frame did not come back");
      return frame;
    }
    // A buffer of its own for the time, memory that is shared.
    return gst_buffer_copy(shared_[static_cast<std::size_t>(pushed_) % shared_.size()]);
  }

  static GstPadProbeReturn look_at(GstPad* pad, GstPadProbeInfo* probe, gpointer user_data) {
    Stream& self = *static_cast<Stream*>(user_data);
    GstBuffer* buffer = GST_PAD_PROBE_INFO_BUFFER(probe);
    ++self.left_;
    if (gst_buffer_get_n_meta(buffer, GST_VIDEO_REGION_OF_INTEREST_META_API_TYPE) > 0)
      ++self.with_lesion_;
    const CudaLibrary* cuda = self.wanted_.cuda ? cuda_library() : nullptr;
    if (cuda != nullptr && !cuda->is_cuda_memory(gst_buffer_peek_memory(buffer, 0)))
      self.leaves_as_it_came_ = false;
    if (self.left_ == 1) self.keep(pad, buffer);
    return GST_PAD_PROBE_OK;
  }

  // What is seen of a frame, rows without padding.
  void keep(GstPad* pad, GstBuffer* buffer) {
    const CapsPtr caps(gst_pad_get_current_caps(pad));
    GstVideoInfo info;
    GstVideoFrame frame;
    if (!caps || !gst_video_info_from_caps(&info, caps.get()) ||
        !gst_video_frame_map(&frame, &info, buffer, GST_MAP_READ))
      return;
    for (guint p = 0; p < GST_VIDEO_INFO_N_PLANES(&info); ++p)
      for (int y = 0; y < GST_VIDEO_FRAME_COMP_HEIGHT(&frame, p); ++y) {
        const guint8* row = static_cast<const guint8*>(GST_VIDEO_FRAME_PLANE_DATA(&frame, p));
        row += static_cast<gint64>(y) * GST_VIDEO_FRAME_PLANE_STRIDE(&frame, p);
        first_.insert(
            first_.end(), row,
            row + GST_VIDEO_FRAME_COMP_WIDTH(&frame, p) * GST_VIDEO_FRAME_COMP_PSTRIDE(&frame, p));
      }
    gst_video_frame_unmap(&frame);
  }

  const Case wanted_;
  GstElement* element_;
  GstBus* bus_ = gst_bus_new();
  GstHarness* harness_ = nullptr;
  CapsPtr caps_;
  std::shared_ptr<CudaDevice> device_;
  PoolPtr pool_;
  std::vector<GstBuffer*> shared_;
  std::vector<double> times_;
  int pushed_ = 0, left_ = 0, with_lesion_ = 0;
  bool leaves_as_it_came_ = true;
  std::vector<guint8> first_;
};

double at_share(std::vector<double> values, double share) {
  std::sort(values.begin(), values.end());
  return values[static_cast<std::size_t>(share * static_cast<double>(values.size() - 1))];
}

// Share of bytes that are not those of another frame of this size, and how far off the worst is.
std::pair<double, int> difference(const std::vector<guint8>& a, const std::vector<guint8>& b) {
  std::size_t others = 0;
  int worst = 0;
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    others += a[i] != b[i];
    worst = std::max(worst, std::abs(a[i] - b[i]));
  }
  return {a.size() == b.size() ? static_cast<double>(others) / static_cast<double>(a.size()) : 1,
          worst};
}

// Prints its line. False: frames did not come out as they should.
bool measure(const Case& wanted, int frames, const Properties& properties,
             std::map<std::pair<int, int>, std::vector<guint8>>* seen) {
  std::vector<std::unique_ptr<Stream>> streams;
  for (int i = 0; i < wanted.streams; ++i)
    streams.push_back(std::make_unique<Stream>(wanted, properties));
  const auto run_all = [&streams](int count) {
    std::vector<std::thread> threads;
    for (const auto& stream : streams)
      threads.emplace_back([&stream, count] { stream->run(count); });
    for (std::thread& thread : threads) thread.join();
  };
  run_all(kWarmUp);
  const std::size_t gpu_before = gpu_bytes_in_use();
  const double process_before = megabytes_of_process();
  const Clock::time_point start = Clock::now();
  run_all(frames);
  const double seconds = milliseconds(Clock::now() - start) / 1e3;
  const double gpu_growth =
      (static_cast<double>(gpu_bytes_in_use()) - static_cast<double>(gpu_before)) / 1e6;
  const double process_growth = megabytes_of_process() - process_before;

  std::vector<double> times;
  int pushed = 0, left = 0, with_lesion = 0;
  bool stays = true;
  for (const auto& stream : streams) {
    times.insert(times.end(), stream->times().begin(), stream->times().end());
    pushed += stream->pushed();
    left += stream->left();
    with_lesion += stream->with_lesion();
    stays &= stream->stays_in_memory();
  }
  const Stream& first = *streams[0];
  std::vector<guint8>& other = (*seen)[{wanted.width, wanted.height}];
  if (other.empty()) other = first.first_frame();
  const std::pair<double, int> off = difference(first.first_frame(), other);
  std::printf(
      "{\"size\": \"%dx%d\", \"memory\": \"%s\", \"streams\": %d, \"shared\": %s, \"device\": "
      "\"%s\", "
      "\"engine\": \"%s\", \"precision\": \"%s\", \"frames\": %d, \"frames_per_second\": %.1f, "
      "\"ms_median\": %.4f, \"ms_p99\": %.4f, \"ms_inference\": %.4f, \"lost\": %d, "
      "\"with_lesion\": %.4f, \"stays_in_memory\": %s, \"differing_bytes\": %.3g, "
      "\"worst_difference\": %d, \"gpu_mb\": %.0f, \"gpu_growth_mb\": %.1f, "
      "\"process_growth_mb\": %.1f}\n",
      wanted.width, wanted.height, wanted.cuda ? "cuda" : "system", wanted.streams,
      wanted.shared ? "true" : "false", first.text_property("device-in-use").c_str(),
      first.model_info("engine").c_str(), first.model_info("precision").c_str(), frames,
      frames * wanted.streams / seconds, at_share(times, .5), at_share(times, .99),
      first.median_inference(), pushed - left, static_cast<double>(with_lesion) / left,
      stays ? "true" : "false", off.first, off.second, static_cast<double>(gpu_before) / 1e6,
      gpu_growth, process_growth);
  std::fflush(stdout);
  return stays && pushed == left;
}

}  // namespace

int main(int argc, char** argv) {
  gst_init(&argc, &argv);
  int frames = 300;
  Properties properties;
  std::vector<Case> cases;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    const std::string value = i + 1 < argc ? argv[i + 1] : "";
    const std::size_t equals = value.find('=');
    Case wanted;
    if (word == "--frames" && std::atoi(value.c_str()) > 0) {
      frames = std::atoi(value.c_str());
      ++i;
    } else if (word == "--set" && equals != std::string::npos) {
      properties.emplace_back(value.substr(0, equals), value.substr(equals + 1));
      ++i;
    } else if (parse(word, &wanted)) {
      cases.push_back(wanted);
    } else {
      std::fprintf(stderr, "element_speed: what is '%s'? See the head of its source.\n", argv[i]);
      return 64;
    }
  }
  std::map<std::pair<int, int>, std::vector<guint8>> seen;
  bool good = true;
  for (const Case& wanted : cases) good &= measure(wanted, frames, properties, &seen);
  return good ? 0 : 1;
}
