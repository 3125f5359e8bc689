// SPDX-License-Identifier: MIT
// Runs one of our engines for peers/compare.py or compare_on_gpu.py, which says by lines on the
// standard input what to do; each is answered by one line on the standard output, an error by the
// end of the program:
//   output PATH    infers once and writes the probabilities there: H x W float32    -> "ok"
//   time N         N inferences, one after the other                     -> N times, in ms
//   batches B N    N inferences of batches of B, one after the other      -> N times, in ms
//   throughput N   N inferences, one stream for each thread, and again as batches   -> frames a
//                  second of the faster way, and its name
//   quit
// The first line that it prints says what runs, as soon as it is ready.
#include <glib.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <exception>
#include <fstream>
#include <iostream>
#include <mutex>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "model/engine/engine.h"
#include "model/engine/names.h"
#include "model/error.h"

#include "tests/benchmarks/measuring.h"

using namespace unetseg;

namespace {

struct Settings {
  std::string weights, engine, input, device;
  UnetsegPrecision precision;
  unsigned threads;  // 0 is automatic
};

[[noreturn]] void fail(const std::string& message) {
  throw Error(Fault::settings, message);
}

// Takes what GOption allocated.
std::string taken(gchar* text) {
  const std::string copy = text ? text : "";
  g_free(text);
  return copy;
}

Settings parse(int argc, char** argv) {
  gchar *weights = nullptr, *engine = nullptr, *input = nullptr, *device = nullptr,
        *precision = nullptr;
  gint threads = 0;
  const GOptionEntry entries[] = {
      {"weights", 'w', 0, G_OPTION_ARG_FILENAME, &weights, "Weights", "FILE"},
      {"engine", 'e', 0, G_OPTION_ARG_STRING, &engine,
       "Engine: libtorch (default), fused-cpu, fused-cuda, auto", "NAME"},
      {"device", 'd', 0, G_OPTION_ARG_STRING, &device, "Device: cpu (default), cuda", "NAME"},
      {"precision", 'p', 0, G_OPTION_ARG_STRING, &precision, "fp32 (default), fp16, bf16", "NAME"},
      {"input", 'i', 0, G_OPTION_ARG_FILENAME, &input, "3 x H x W float32, planar", "FILE"},
      {"threads", 't', 0, G_OPTION_ARG_INT, &threads, "CPU threads, 0: all cores (0)", "N"},
      {nullptr, 0, 0, G_OPTION_ARG_NONE, nullptr, nullptr, nullptr}};
  GOptionContext* context = g_option_context_new("- runs an engine as it is told by lines");
  g_option_context_add_main_entries(context, entries, nullptr);
  GError* error = nullptr;
  g_option_context_parse(context, &argc, &argv, &error);
  g_option_context_free(context);
  Settings settings = {taken(weights),
                       taken(engine),
                       taken(input),
                       taken(device),
                       precision_named(precision ? taken(precision) : "fp32"),
                       static_cast<unsigned>(std::max(0, threads))};
  if (settings.engine.empty()) settings.engine = "libtorch";
  if (settings.device.empty()) settings.device = "cpu";
  if (error) {
    const std::string message = error->message;
    g_error_free(error);
    fail(message);
  }
  if (settings.weights.empty() || settings.input.empty()) fail("needs --weights and --input");
  return settings;
}

std::unique_ptr<Engine> open_engine(const Settings& settings, unsigned threads) {
  UnetsegOpenOptions options = {};
  options.model_file = settings.weights.c_str();
  options.device = settings.device.c_str();
  options.precision = settings.precision;
  options.engine = engine_named(settings.engine);
  options.threads = threads;
  options.n_slots = 1;
  return make_engine(options);
}

std::size_t pixels(const Engine& engine) {
  return static_cast<std::size_t>(engine.card().input_width) * engine.card().input_height;
}

std::vector<float> read_input(const std::string& path, const Engine& engine) {
  std::vector<float> input(3 * pixels(engine));
  const std::size_t bytes = input.size() * sizeof(float);
  std::ifstream file(path, std::ios::binary);
  if (!file.read(reinterpret_cast<char*>(input.data()), static_cast<std::streamsize>(bytes)) ||
      file.peek() != std::ifstream::traits_type::eof())
    fail(path + " does not hold the " + std::to_string(bytes) + " bytes of this model's input");
  return input;
}

double milliseconds_since(std::chrono::steady_clock::time_point start) {
  const std::chrono::duration<double, std::milli> taken = std::chrono::steady_clock::now() - start;
  return taken.count();
}

// Lets threads start together.
class Gate {
 public:
  explicit Gate(unsigned expected) : missing_(expected) {}

  void pass() {
    std::unique_lock<std::mutex> lock(mutex_);
    if (--missing_ == 0) all_here_.notify_all();
    all_here_.wait(lock, [this] { return missing_ == 0; });
  }

 private:
  std::mutex mutex_;  // guards the rest
  std::condition_variable all_here_;
  unsigned missing_;
};

class Server {
 public:
  explicit Server(const Settings& settings)
      : settings_(settings),
        threads_(settings.threads ? settings.threads
                                  : std::max(1u, std::thread::hardware_concurrency())),
        engine_(open_engine(settings, threads_)),
        input_(read_input(settings.input, *engine_)),
        result_(pixels(*engine_)) {}

  std::string about() const {
    return engine_->name() + " " + engine_->precision() + " on " + engine_->device() + "; " +
           benchmarks::machine();
  }

  std::string output(const std::string& path) {
    infer();
    std::ofstream file(path, std::ios::binary);
    file.write(reinterpret_cast<const char*>(result_.data()),
               static_cast<std::streamsize>(result_.size() * sizeof(float)));
    file.close();
    if (!file) fail(path + " cannot be written");
    return "ok";
  }

  std::string time(int n) {
    std::ostringstream line;
    for (int i = 0; i < n; ++i) {
      const auto start = std::chrono::steady_clock::now();
      infer();
      line << (i > 0 ? " " : "") << milliseconds_since(start);
    }
    return line.str();
  }

  std::string batches(int size, int n) {
    const Batch batch(*this, size);
    std::ostringstream line;
    for (int i = 0; i < n; ++i) {
      const auto start = std::chrono::steady_clock::now();
      batch.run();
      line << (i > 0 ? " " : "") << milliseconds_since(start);
    }
    return line.str();
  }

  std::string throughput(int n) {
    const double streams = in_streams(n), batches = in_batches(n);
    std::ostringstream line;
    line << std::max(streams, batches) << (streams >= batches ? " streams" : " batches");
    return line.str();
  }

 private:
  // The same picture many times over.
  class Batch {
   public:
    Batch(Server& server, int size)
        : server_(server), results_(size, server.result_), inputs_(size, server.input_.data()) {
      for (auto& result : results_) outputs_.push_back(result.data());
    }
    Batch(const Batch&) = delete;
    Batch& operator=(const Batch&) = delete;

    void run() const {
      server_.engine_->run(inputs_.data(), outputs_.data(), static_cast<int>(inputs_.size()));
    }

   private:
    Server& server_;
    std::vector<std::vector<float>> results_;
    std::vector<const float*> inputs_;
    std::vector<float*> outputs_;
  };

  void infer() {
    const float* inputs[] = {input_.data()};
    float* outputs[] = {result_.data()};
    engine_->run(inputs, outputs, 1);
  }

  // An engine may be called from one thread only: each stream has its own.
  double in_streams(int n) {
    const int each = (n + static_cast<int>(threads_) - 1) / static_cast<int>(threads_);
    Gate start(threads_ + 1), end(threads_ + 1);
    std::vector<std::thread> streams;
    for (unsigned i = 0; i < threads_; ++i)
      streams.emplace_back([&] {
        const auto engine = open_engine(settings_, 1);
        std::vector<float> result(pixels(*engine));
        const float* inputs[] = {input_.data()};
        float* outputs[] = {result.data()};
        engine->run(inputs, outputs, 1);
        start.pass();
        for (int j = 0; j < each; ++j) engine->run(inputs, outputs, 1);
        end.pass();
      });
    start.pass();
    const auto begin = std::chrono::steady_clock::now();
    end.pass();
    const double ms = milliseconds_since(begin);
    for (auto& stream : streams) stream.join();
    return 1e3 * each * threads_ / ms;
  }

  double in_batches(int n) {
    const int batches = (n + static_cast<int>(threads_) - 1) / static_cast<int>(threads_);
    const Batch batch(*this, static_cast<int>(threads_));
    batch.run();
    const auto begin = std::chrono::steady_clock::now();
    for (int i = 0; i < batches; ++i) batch.run();
    return 1e3 * batches * threads_ / milliseconds_since(begin);
  }

  const Settings settings_;
  const unsigned threads_;
  const std::unique_ptr<Engine> engine_;
  const std::vector<float> input_;
  std::vector<float> result_;
};

void serve(Server& server) {
  std::cout << server.about() << std::endl;
  for (std::string line; std::getline(std::cin, line) && line != "quit";) {
    std::istringstream words(line);
    std::string verb, path;
    int n = 0, size = 0;
    words >> verb;
    if (verb == "output" && words >> path)
      std::cout << server.output(path) << std::endl;
    else if (verb == "time" && words >> n && n > 0)
      std::cout << server.time(n) << std::endl;
    else if (verb == "batches" && words >> size >> n && size > 0 && n > 0)
      std::cout << server.batches(size, n) << std::endl;
    else if (verb == "throughput" && words >> n && n > 0)
      std::cout << server.throughput(n) << std::endl;
    else
      fail("cannot do: " + line);
  }
}

}  // namespace

int main(int argc, char** argv) {
  try {
    Server server(parse(argc, argv));
    serve(server);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
  return 0;
}
