// SPDX-License-Identifier: MIT
// The one exception type that unetseg throws on purpose: what kind of fault, and what to do.
#pragma once

#include <stdexcept>
#include <string>

namespace unetseg {

// Kinds of fault. The order is part of the backend's C interface (UnetsegBackendError).
enum class Fault {
  not_found,     // a file is missing
  open_read,     // a file is there but cannot be opened, or is no regular file
  read,          // a file's content is damaged or does not follow its format
  settings,      // well formed, but not what this program can use (architecture, option, device name)
  no_space,      // memory, device memory or disk is full
  no_device,     // a device was asked for that this machine does not have
  write,         // a file cannot be written
  frame_format,  // a frame's geometry or format cannot be processed
  bad_result,    // the network gave NaN or infinite values
  failed,        // a library failed in a way that nothing above describes
  device_lost,   // a device failed, and this process can never use it again
};

// `what()` is one sentence for the user that names the thing and the cure; `detail()` is for
// developers (errno text, offsets) and may be empty. Neither ends in a newline.
class Error : public std::runtime_error {
 public:
  Error(Fault fault, const std::string& message, std::string detail = {})
      : std::runtime_error(message), fault_(fault), detail_(std::move(detail)) {}
  Fault fault() const { return fault_; }
  const std::string& detail() const { return detail_; }

 private:
  Fault fault_;
  std::string detail_;
};

}  // namespace unetseg
