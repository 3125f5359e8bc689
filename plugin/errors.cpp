// SPDX-License-Identifier: MIT
#include "plugin/errors.h"

#include <exception>
#include <new>

#include "model/backend/backend.h"
#include "plugin/pointers.h"

namespace unetseg {
namespace {

struct Code {
  GQuark domain;
  gint code;
};

Code code_of(const GError& error) {
  if (error.domain == UNETSEG_BACKEND_ERROR) switch (static_cast<UnetsegBackendError>(error.code)) {
      case UNETSEG_BACKEND_ERROR_NOT_FOUND:
      case UNETSEG_BACKEND_ERROR_NO_DEVICE:
        return {GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_FOUND};
      case UNETSEG_BACKEND_ERROR_OPEN_READ:
        return {GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_OPEN_READ};
      case UNETSEG_BACKEND_ERROR_READ:
        return {GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_READ};
      case UNETSEG_BACKEND_ERROR_SETTINGS:
        return {GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS};
      case UNETSEG_BACKEND_ERROR_NO_SPACE:
        return {GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NO_SPACE_LEFT};
      case UNETSEG_BACKEND_ERROR_WRITE:
        return {GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_WRITE};
      case UNETSEG_BACKEND_ERROR_FRAME_FORMAT:
        return {GST_STREAM_ERROR, GST_STREAM_ERROR_FORMAT};
      case UNETSEG_BACKEND_ERROR_BAD_RESULT:
        return {GST_STREAM_ERROR, GST_STREAM_ERROR_FAILED};
      case UNETSEG_BACKEND_ERROR_FAILED:
      case UNETSEG_BACKEND_ERROR_DEVICE_LOST:
        break;
    }
  return {GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_FAILED};
}

void post(GstElement* element, GstMessageType type, const Failure& failure) {
  // Takes both strings. A message without debug string would lose the element's path.
  gst_element_message_full(
      element, type, failure.domain, failure.code, g_strdup(failure.text.c_str()),
      g_strdup(failure.detail.empty() ? "no further detail" : failure.detail.c_str()), "unetseg",
      type == GST_MESSAGE_ERROR ? "error" : "warning", 0);
}

}  // namespace

Failure failure_from_backend(GError* error) {
  const ErrorPtr owned(error);
  if (!owned)
    return {GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_FAILED,
            "The backend module has failed without saying why: reinstall unetseg", ""};
  const Code code = code_of(*owned);
  const std::string message = owned->message ? owned->message : "";
  const std::size_t line_end = message.find('\n');
  if (line_end == std::string::npos) return {code.domain, code.code, message, ""};
  return {code.domain, code.code, message.substr(0, line_end), message.substr(line_end + 1)};
}

Failure failure_from_exception() {
  try {
    throw;
  } catch (const Failure& failure) {
    return failure;
  } catch (const std::bad_alloc&) {
    return {GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NO_SPACE_LEFT,
            "There is not enough memory: close other programs", "std::bad_alloc"};
  } catch (const std::exception& exception) {
    return {GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_FAILED,
            "unetseg has failed in a way it should not: please report this", exception.what()};
  } catch (...) {
    return {GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_FAILED,
            "unetseg has failed in a way it should not: please report this",
            "an exception of an unknown type"};
  }
}

void post_error(GstElement* element, const Failure& failure) {
  post(element, GST_MESSAGE_ERROR, failure);
}

void post_warning(GstElement* element, const Failure& failure) {
  post(element, GST_MESSAGE_WARNING, failure);
}

}  // namespace unetseg
