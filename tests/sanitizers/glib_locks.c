/* SPDX-License-Identifier: MIT
 *
 * Preloaded under ThreadSanitizer: tells it about what GLib's and GStreamer's own locks, queues and
 * counts of references order. They are futexes and atomics in libraries that it does not
 * instrument.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <glib.h>

void __tsan_acquire(void* address) __attribute__((weak));
void __tsan_release(void* address) __attribute__((weak));

static void acquire(gconstpointer address) {
  if (__tsan_acquire) __tsan_acquire((void*)address);
}
static void release(gconstpointer address) {
  if (__tsan_release) __tsan_release((void*)address);
}

/* The function of this name in the library that has it. */
#define NEXT(name, result, ...)       \
  static result (*next)(__VA_ARGS__); \
  if (next == NULL) next = (result(*)(__VA_ARGS__))dlsym(RTLD_NEXT, name)

void g_mutex_lock(GMutex* mutex) {
  NEXT("g_mutex_lock", void, GMutex*);
  next(mutex);
  acquire(mutex);
}

gboolean g_mutex_trylock(GMutex* mutex) {
  NEXT("g_mutex_trylock", gboolean, GMutex*);
  const gboolean locked = next(mutex);
  if (locked) acquire(mutex);
  return locked;
}

void g_mutex_unlock(GMutex* mutex) {
  NEXT("g_mutex_unlock", void, GMutex*);
  release(mutex);
  next(mutex);
}

void g_cond_wait(GCond* cond, GMutex* mutex) {
  NEXT("g_cond_wait", void, GCond*, GMutex*);
  release(mutex);
  next(cond, mutex);
  acquire(mutex);
}

gboolean g_cond_wait_until(GCond* cond, GMutex* mutex, gint64 end) {
  NEXT("g_cond_wait_until", gboolean, GCond*, GMutex*, gint64);
  release(mutex);
  const gboolean signalled = next(cond, mutex, end);
  acquire(mutex);
  return signalled;
}

#undef g_once_init_leave
void g_once_init_leave(volatile void* location, gsize result) {
  NEXT("g_once_init_leave", void, volatile void*, gsize);
  release((gconstpointer)location);
  next(location, result);
}

void g_async_queue_push(GAsyncQueue* queue, gpointer data) {
  NEXT("g_async_queue_push", void, GAsyncQueue*, gpointer);
  release(queue);
  next(queue, data);
}

gpointer g_async_queue_pop(GAsyncQueue* queue) {
  NEXT("g_async_queue_pop", gpointer, GAsyncQueue*);
  gpointer data = next(queue);
  acquire(queue);
  return data;
}

gpointer g_async_queue_try_pop(GAsyncQueue* queue) {
  NEXT("g_async_queue_try_pop", gpointer, GAsyncQueue*);
  gpointer data = next(queue);
  acquire(queue);
  return data;
}

gpointer g_async_queue_timeout_pop(GAsyncQueue* queue, guint64 timeout) {
  NEXT("g_async_queue_timeout_pop", gpointer, GAsyncQueue*, guint64);
  gpointer data = next(queue, timeout);
  acquire(queue);
  return data;
}

/* Whoever lets go last frees what the others have used. */
#define COUNTED(name)            \
  void name(gpointer object);    \
  void name(gpointer object) {   \
    NEXT(#name, void, gpointer); \
    release(object);             \
    acquire(object);             \
    next(object);                \
  }
COUNTED(g_object_unref)
COUNTED(gst_object_unref)
COUNTED(gst_mini_object_unref)
