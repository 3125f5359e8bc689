// SPDX-License-Identifier: MIT
#include "tests/plugin/fake/script.h"

#include <cstdio>
#include <fstream>
#include <new>
#include <sstream>

#include "model/error.h"

using unetseg::Error;
using unetseg::Fault;

namespace {

const std::map<std::string, Fault> kFaults = {{"not-found", Fault::not_found},
                                              {"open-read", Fault::open_read},
                                              {"read", Fault::read},
                                              {"settings", Fault::settings},
                                              {"no-space", Fault::no_space},
                                              {"no-device", Fault::no_device},
                                              {"failed", Fault::failed},
                                              {"nan", Fault::bad_result},
                                              {"device-lost", Fault::device_lost}};

const std::map<std::string, UnetsegFit> kFits = {{"stretch", UNETSEG_FIT_STRETCH},
                                                 {"letterbox", UNETSEG_FIT_LETTERBOX},
                                                 {"crop", UNETSEG_FIT_CROP}};

FrameRange read_range(const std::string& text) {
  FrameRange range;
  std::size_t end = 0;
  range.first = std::stol(text, &end);
  if (end == text.size())
    range.last = range.first;
  else if (text.compare(end, 2, "..") != 0)
    throw std::invalid_argument(text);
  else
    range.last =
        end + 2 == text.size() ? std::numeric_limits<long>::max() : std::stol(text.substr(end + 2));
  return range;
}

bool ends_with(const std::string& text, const std::string& end) {
  return text.size() > end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

void set(Script* script, const std::string& key, const std::string& value) {
  if (key == "size") {
    if (std::sscanf(value.c_str(), "%dx%d", &script->width, &script->height) != 2)
      throw std::invalid_argument(value);
  } else if (key == "threshold") {
    script->threshold = std::stod(value);
  } else if (key == "dark") {
    script->dark = std::stod(value);
  } else if (key == "largest-only") {
    script->clean_up.largest_only = std::stol(value) != 0;
  } else if (key == "fill-holes") {
    script->clean_up.fill_holes = std::stol(value) != 0;
  } else if (key == "min-area") {
    script->clean_up.min_area = std::stod(value);
  } else if (key == "min-confidence") {
    script->clean_up.min_confidence = std::stod(value);
  } else if (key == "fit") {
    script->fit = kFits.at(value);
  } else if (key == "shift") {
    script->shift = std::stol(value) != 0;
  } else if (key == "delay-ms") {
    script->delay_ms = std::stol(value);
  } else if (key == "delay-at") {
    script->delayed = read_range(value);
  } else if (key == "gate") {
    script->gate = value;
  } else if (key == "steps") {
    int* fd = script->steps;
    if (std::sscanf(value.c_str(), "%d:%d:%d", fd, fd + 1, fd + 2) != 3)
      throw std::invalid_argument(value);
  } else if (key == "room") {
    script->room = std::stoi(value);
  } else if (key == "open") {
    script->open = value;
  } else if (key == "nan-red") {
    script->nan_red = std::stol(value);
  } else if (ends_with(key, "-at")) {
    script->faults[key.substr(0, key.size() - 3)] = read_range(value);
  } else {
    throw std::invalid_argument(key);
  }
}

}  // namespace

Script read_script(const std::string& model_file) {
  const std::string scheme = "fake:";
  Script script;
  try {
    std::string line = model_file;
    if (line.rfind(scheme, 0) != 0) std::getline(std::ifstream(model_file), line);
    if (line.rfind(scheme, 0) != 0) throw std::invalid_argument(model_file);
    std::istringstream entries(line.substr(scheme.size()));
    for (std::string entry; std::getline(entries, entry, ',');) {
      const std::size_t equals = entry.find('=');
      if (equals == std::string::npos) throw std::invalid_argument(entry);
      set(&script, entry.substr(0, equals), entry.substr(equals + 1));
    }
  } catch (const std::logic_error& error) {  // invalid_argument, out_of_range
    throw Error(Fault::settings, "'" + model_file + "' is no script of the fake network",
                error.what());
  }
  return script;
}

void throw_fault(const std::string& kind) {
  if (kind == "bad-alloc") throw std::bad_alloc();
  if (kind == "exception") throw std::runtime_error("scripted exception");
  if (kind == "other") throw 42;
  const auto fault = kFaults.find(kind);
  if (fault == kFaults.end())
    throw Error(Fault::settings, "'" + kind + "' is no fault of the fake network");
  throw Error(fault->second, "scripted fault " + kind + ": change the script", "of the fake");
}
