// SPDX-License-Identifier: MIT
// From exceptions to exit codes.
#include <cstdio>
#include <new>

#include "model/error.h"
#include "trainer/commands/commands.h"
#include "trainer/commands/interrupt.h"
#include "trainer/data/dataset.h"
#include "trainer/train/diverged.h"

namespace unetseg::trainer {
namespace {

int exit_code(Fault fault) {
  switch (fault) {
    case Fault::settings:
    case Fault::no_device:
    case Fault::frame_format:
      return kConfig;
    case Fault::bad_result:
      return kDiverged;
    case Fault::not_found:
    case Fault::open_read:
    case Fault::read:
    case Fault::no_space:
    case Fault::write:
    case Fault::device_lost:
    case Fault::failed:
      return kInputOutput;
  }
  return kInputOutput;
}

// One line: LibTorch puts its whole call stack below the first one.
void print_error(const std::string& message, const std::string& detail = {}) {
  const std::string line = message.substr(0, message.find('\n'));
  std::fprintf(stderr, "error: %s%s%s%s\n", line.c_str(), detail.empty() ? "" : " (",
               detail.c_str(), detail.empty() ? "" : ")");
}

}  // namespace

int run_guarded(const Action& action) {
  try {
    return action();
  } catch (const DataError& error) {
    for (const std::string& fault : error.faults()) std::fprintf(stderr, "  %s\n", fault.c_str());
    std::fprintf(stderr,
                 "error: the data set has %zu fault%s, listed above: mend or remove these files\n",
                 error.faults().size(), error.faults().size() == 1 ? "" : "s");
    return kData;
  } catch (const Diverged& error) {
    print_error(error.what());
    return kDiverged;
  } catch (const Error& error) {
    if (error.fault() == Fault::failed && interrupted_exit_code() != 0) {
      std::fputs("stopped\n", stderr);
      return interrupted_exit_code();
    }
    print_error(error.what(), error.detail());
    return exit_code(error.fault());
  } catch (const std::bad_alloc&) {
    print_error("memory is full: lower --batch-size or --size");
    return kInputOutput;
  } catch (const std::exception& error) {
    print_error(error.what());
    return kInputOutput;
  }
}

}  // namespace unetseg::trainer
