// SPDX-License-Identifier: MIT
#include "model/storage/shown.h"

#include <glib.h>

#include <memory>

namespace unetseg {
namespace {

using OwnedText = std::unique_ptr<char, decltype(&g_free)>;

}  // namespace

std::string shown_path(const std::string& path) {
  return OwnedText(g_filename_display_name(path.c_str()), g_free).get();
}

std::string shown_name(const std::string& name, std::size_t most_bytes) {
  const bool cut = name.size() > most_bytes;
  // g_utf8_make_valid() also turns NUL bytes and a character cut in two into replacements.
  const OwnedText valid(
      g_utf8_make_valid(name.data(), static_cast<gssize>(cut ? most_bytes : name.size())), g_free);
  std::string shown = "'";
  for (const char* at = valid.get(); *at != '\0'; ++at) {
    if (*at == '\'' || *at == '\\') shown += '\\';
    shown += g_ascii_iscntrl(*at) ? '?' : *at;
  }
  return shown + (cut ? "...'" : "'");
}

std::string comma_separated(const std::vector<std::int64_t>& values) {
  std::string text;
  for (const std::int64_t value : values) {
    if (!text.empty()) text += ',';
    text += std::to_string(value);
  }
  return text;
}

}  // namespace unetseg
