// SPDX-License-Identifier: MIT
// The backend's C table: exceptions end here, and become a GError.
#include "model/backend/table.h"

#include <exception>
#include <new>

#include "model/backend/session.h"
#include "model/error.h"

struct _UnetsegSession {
  explicit _UnetsegSession(const UnetsegOpenOptions& options) : session(options) {}
  unetseg::Session session;
};

namespace unetseg {
namespace {

static_assert(static_cast<int>(Fault::not_found) == UNETSEG_BACKEND_ERROR_NOT_FOUND &&
                  static_cast<int>(Fault::no_device) == UNETSEG_BACKEND_ERROR_NO_DEVICE &&
                  static_cast<int>(Fault::failed) == UNETSEG_BACKEND_ERROR_FAILED &&
                  static_cast<int>(Fault::device_lost) == UNETSEG_BACKEND_ERROR_DEVICE_LOST,
              "UnetsegBackendError and Fault list the same kinds in the same order");

// GLib's allocations alone: this runs when C++ may be out of memory.
void set_error(GError** error, int code, const char* message, const char* detail) {
  if (error == nullptr) return;
  gchar* text = g_strconcat(message, *detail ? "\n" : "", detail, nullptr);
  gchar* valid = g_utf8_make_valid(text, -1);
  *error = g_error_new_literal(UNETSEG_BACKEND_ERROR, code, valid);
  g_free(valid);
  g_free(text);
}

// Runs `call`, and answers its result, or `failure` where it throws.
template <typename Result, typename Call>
Result guarded(GError** error, Result failure, Call call) noexcept {
  try {
    return call();
  } catch (const Error& e) {
    set_error(error, static_cast<int>(e.fault()), e.what(), e.detail().c_str());
  } catch (const std::bad_alloc&) {
    set_error(error, UNETSEG_BACKEND_ERROR_NO_SPACE,
              "There is not enough memory for the network: use a smaller model, or close other "
              "programs",
              "std::bad_alloc");
  } catch (const std::exception& e) {
    set_error(error, UNETSEG_BACKEND_ERROR_FAILED, "A library that runs the network has failed",
              e.what());
  } catch (...) {
    set_error(error, UNETSEG_BACKEND_ERROR_FAILED, "A library that runs the network has failed",
              "an exception of an unknown type");
  }
  return failure;
}

gboolean probe(const gchar* device, gchar** resolved, gchar** notice, GError** error) {
  return guarded(error, FALSE, [=] {
    std::string note;
    const std::string found = probe_device(device, &note);
    *resolved = g_strdup(found.c_str());
    *notice = note.empty() ? nullptr : g_strdup(note.c_str());
    return TRUE;
  });
}

UnetsegSession* open(const UnetsegOpenOptions* options, GError** error) {
  return guarded(error, static_cast<UnetsegSession*>(nullptr),
                 [=] { return new UnetsegSession(*options); });
}

const UnetsegModelInfo* info(const UnetsegSession* session) {
  return &session->session.info();
}

gboolean sample(UnetsegSession* session, guint slot, const UnetsegFrame* frame, UnetsegFit fit,
                GError** error) {
  return guarded(error, FALSE, [=] {
    session->session.sample(slot, *frame, fit);
    return TRUE;
  });
}

gboolean infer(UnetsegSession* session, const guint* slots, guint n, UnetsegTta tta,
               GError** error) {
  return guarded(error, FALSE, [=] {
    session->session.infer(slots, n, tta);
    return TRUE;
  });
}

gboolean track(UnetsegSession* session, guint from, guint to, UnetsegMotion* motion,
               GError** error) {
  return guarded(error, FALSE, [=] {
    session->session.track(from, to, motion);
    return TRUE;
  });
}

gboolean smooth(UnetsegSession* session, guint slot, guint previous, const UnetsegMotion* motion,
                gdouble weight, GError** error) {
  return guarded(error, FALSE, [=] {
    session->session.smooth(slot, previous, motion, weight);
    return TRUE;
  });
}

gboolean draw(UnetsegSession* session, guint slot, const UnetsegFrame* frame,
              const UnetsegMaskOptions* mask, const UnetsegStyle* style, GError** error) {
  return guarded(error, FALSE, [=] {
    session->session.draw(slot, *frame, *mask, *style);
    return TRUE;
  });
}

gboolean measure(UnetsegSession* session, guint slot, gint width, gint height,
                 const UnetsegMaskOptions* mask, UnetsegMeasurement* measurement, GError** error) {
  return guarded(error, FALSE, [=] {
    *measurement = session->session.measure(slot, width, height, *mask);
    return TRUE;
  });
}

void close(UnetsegSession* session) {
  guarded(nullptr, FALSE, [=] {
    delete session;
    return TRUE;
  });
}

constexpr UnetsegBackend kTable = {UNETSEG_BACKEND_ABI,
                                   sizeof(UnetsegBackend),
                                   probe,
                                   open,
                                   info,
                                   sample,
                                   infer,
                                   track,
                                   smooth,
                                   draw,
                                   measure,
                                   close};

}  // namespace

const UnetsegBackend& backend_table() {
  return kTable;
}

}  // namespace unetseg
