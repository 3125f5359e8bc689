// SPDX-License-Identifier: MIT
// What plugin/cuda_library.h declares, against the headers of GStreamer and of the CUDA toolkit.
#define GST_USE_UNSTABLE_API
#include <gst/cuda/gstcudabufferpool.h>
#include <gst/cuda/gstcudaloader.h>
#include <gst/cuda/gstcudautils.h>

#include <cstddef>
#include <cstring>
#include <type_traits>

#include "plugin/cuda_library.h"

#include "tests/check.h"

using unetseg::CudaLibrary;
using unetseg::CudaPlace;
using unetseg::CudaRowsCopy;
using unetseg::GstCudaMemoryHead;

namespace {

// Passed in the same way: as pointers, or as whole numbers of one size.
template <typename A, typename B>
constexpr bool is_passed_alike() {
  if constexpr (std::is_void_v<A> || std::is_void_v<B>)
    return std::is_void_v<A> && std::is_void_v<B>;
  else
    return sizeof(A) == sizeof(B) && std::is_pointer_v<A> == std::is_pointer_v<B>;
}

template <typename A, typename... As, typename B, typename... Bs>
constexpr bool are_called_alike(A (*)(As...), B (*)(Bs...)) {
  if constexpr (sizeof...(As) != sizeof...(Bs))
    return false;
  else
    return is_passed_alike<A, B>() && (is_passed_alike<As, Bs>() && ...);
}

#define ASSERT_CALLED_ALIKE(field, function)                                 \
  static_assert(are_called_alike(decltype(CudaLibrary::field)(nullptr),      \
                                 static_cast<decltype(&function)>(nullptr)), \
                #function)
ASSERT_CALLED_ALIKE(load_library, gst_cuda_load_library);
ASSERT_CALLED_ALIKE(memory_init_once, gst_cuda_memory_init_once);
ASSERT_CALLED_ALIKE(context_new_wrapped, gst_cuda_context_new_wrapped);
ASSERT_CALLED_ALIKE(context_get_handle, gst_cuda_context_get_handle);
ASSERT_CALLED_ALIKE(context_push, gst_cuda_context_push);
ASSERT_CALLED_ALIKE(context_pop, gst_cuda_context_pop);
ASSERT_CALLED_ALIKE(context_new_cuda_context, gst_context_new_cuda_context);
ASSERT_CALLED_ALIKE(is_cuda_memory, gst_is_cuda_memory);
ASSERT_CALLED_ALIKE(buffer_pool_new, gst_cuda_buffer_pool_new);
#if __has_include(<gst/cuda/gstcudastream.h>)  // from 1.24 on
ASSERT_CALLED_ALIKE(memory_get_stream, gst_cuda_memory_get_stream);
ASSERT_CALLED_ALIKE(stream_get_handle, gst_cuda_stream_get_handle);
#endif
ASSERT_CALLED_ALIKE(init, cuInit);
ASSERT_CALLED_ALIKE(device_get, cuDeviceGet);
ASSERT_CALLED_ALIKE(device_primary_ctx_retain, cuDevicePrimaryCtxRetain);
ASSERT_CALLED_ALIKE(device_primary_ctx_release, cuDevicePrimaryCtxRelease);
ASSERT_CALLED_ALIKE(memcpy_2d_async, cuMemcpy2DAsync);
ASSERT_CALLED_ALIKE(stream_synchronize, cuStreamSynchronize);

}  // namespace

START_TEST(test_words_are_the_headers) {
  ck_assert_int_eq(unetseg::kMapCuda, GST_MAP_CUDA);
  ck_assert_str_eq(UNETSEG_CUDA_MEMORY_FEATURE, GST_CAPS_FEATURE_MEMORY_CUDA_MEMORY);
  ck_assert_str_eq(unetseg::kCudaContextType, GST_CUDA_CONTEXT_TYPE);
}
END_TEST

START_TEST(test_memory_is_laid_out_as_in_the_headers) {
  ck_assert_uint_eq(offsetof(GstCudaMemoryHead, context), offsetof(GstCudaMemory, context));
  ck_assert_uint_eq(sizeof(CudaRowsCopy), sizeof(CUDA_MEMCPY2D));
  ck_assert_uint_eq(offsetof(CudaPlace, x), offsetof(CUDA_MEMCPY2D, srcXInBytes));
  ck_assert_uint_eq(offsetof(CudaPlace, y), offsetof(CUDA_MEMCPY2D, srcY));
  ck_assert_uint_eq(offsetof(CudaPlace, type), offsetof(CUDA_MEMCPY2D, srcMemoryType));
  ck_assert_uint_eq(offsetof(CudaPlace, device), offsetof(CUDA_MEMCPY2D, srcDevice));
  ck_assert_uint_eq(offsetof(CudaPlace, pitch), offsetof(CUDA_MEMCPY2D, srcPitch));
  ck_assert_uint_eq(offsetof(CudaRowsCopy, to), offsetof(CUDA_MEMCPY2D, dstXInBytes));
  ck_assert_uint_eq(offsetof(CudaRowsCopy, row_bytes), offsetof(CUDA_MEMCPY2D, WidthInBytes));
  ck_assert_uint_eq(offsetof(CudaRowsCopy, rows), offsetof(CUDA_MEMCPY2D, Height));
  ck_assert_int_eq(CU_MEMORYTYPE_DEVICE, 2);
}
END_TEST

int main() {
  Suite* suite = suite_create("cuda declarations");
  TCase* tests = tcase_create("headers");
  tcase_add_test(tests, test_words_are_the_headers);
  tcase_add_test(tests, test_memory_is_laid_out_as_in_the_headers);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
