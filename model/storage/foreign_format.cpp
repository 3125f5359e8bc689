// SPDX-License-Identifier: MIT
#include "model/storage/foreign_format.h"

#include <glib.h>

namespace unetseg {
namespace {

constexpr char kConvert[] =
    "convert it with two lines of Python: import torch, safetensors.torch | "
    "safetensors.torch.save_file(torch.load('model.pt', map_location='cpu', weights_only=True), "
    "'model.safetensors') (where the checkpoint holds more than the weights, take its part: "
    "torch.load(...)['state_dict'])";

bool starts_with(std::string_view text, std::string_view start) {
  return text.substr(0, start.size()) == start;
}

// Protocols 2 to 5 begin with the opcode PROTO and their number.
bool is_pickle(std::string_view start) {
  return start.size() >= 2 && start[0] == '\x80' && start[1] >= 2 && start[1] <= 5;
}

// A protocol buffer whose first fields are ir_version (1, a number below 128) and producer_name (2)
// or, as some exporters write it, the graph (7).
bool is_onnx(std::string_view start) {
  return start.size() >= 3 && start[0] == '\x08' && start[1] > 0 &&
         (start[2] == '\x12' || start[2] == '\x3a');
}

bool starts_with_ignoring_case(std::string_view text, std::string_view start) {
  return text.size() >= start.size() &&
         g_ascii_strncasecmp(text.data(), start.data(), start.size()) == 0;
}

// What a server answers where there is nothing to fetch.
bool is_web_page(std::string_view start) {
  return starts_with_ignoring_case(start, "<!doctype") || starts_with_ignoring_case(start, "<html");
}

}  // namespace

std::string foreign_format(std::string_view start) {
  if (starts_with(start, "PK\x03\x04"))
    return std::string("is a zip archive, as PyTorch's .pt and .pth files are; ") + kConvert;
  if (is_pickle(start))
    return std::string("is a Python pickle, as old .pt and .pth files are; ") + kConvert;
  if (is_onnx(start))
    return std::string(
               "is an ONNX model, which has no weights under the network's own names; take the "
               "PyTorch checkpoint that it came from and ") +
           kConvert;
  if (starts_with(start, "version h"))
    return "is a pointer of Git LFS, which stands for a file that was not fetched; run: git lfs "
           "pull";
  if (is_web_page(start))
    return "is a web page, perhaps a server's answer to a failed download; fetch the file again";
  return {};
}

}  // namespace unetseg
