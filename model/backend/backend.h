/* SPDX-License-Identifier: MIT
 *
 * The boundary between GStreamer and the network: a versioned C interface. The element opens a
 * backend module with GModule, asks it for this table, and needs no LibTorch header or library.
 *
 * Rules for every function of the table:
 *  - No C++ exception leaves it. A failure returns FALSE or NULL and sets `error` (domain
 *    UNETSEG_BACKEND_ERROR). The message's first line is a sentence for the user that names the
 *    thing and the cure; what follows a first newline, if any, is detail for developers.
 *  - Strings are UTF-8 and zero-terminated. Sizes and strides are in bytes unless named otherwise.
 *  - Nothing allocates per frame once each slot and each frame size has been used once.
 */
#pragma once

#include <glib.h>

/* What fields are is aligned by hand. */
/* clang-format off */

G_BEGIN_DECLS

#define UNETSEG_BACKEND_ABI 8u
#define UNETSEG_BACKEND_SYMBOL "unetseg_backend_get"

#define UNETSEG_BACKEND_ERROR (g_quark_from_static_string("unetseg-backend-error"))
typedef enum { /* in the order of unetseg::Fault (model/error.h), where each is explained */
  UNETSEG_BACKEND_ERROR_NOT_FOUND,
  UNETSEG_BACKEND_ERROR_OPEN_READ,
  UNETSEG_BACKEND_ERROR_READ,
  UNETSEG_BACKEND_ERROR_SETTINGS,
  UNETSEG_BACKEND_ERROR_NO_SPACE,
  UNETSEG_BACKEND_ERROR_NO_DEVICE,
  UNETSEG_BACKEND_ERROR_WRITE,
  UNETSEG_BACKEND_ERROR_FRAME_FORMAT,
  UNETSEG_BACKEND_ERROR_BAD_RESULT,
  UNETSEG_BACKEND_ERROR_FAILED,
  UNETSEG_BACKEND_ERROR_DEVICE_LOST,
} UnetsegBackendError;

/* Pixel formats, named and laid out in memory as GStreamer's GstVideoFormat of the same name. */
typedef enum {
  UNETSEG_FORMAT_RGB,
  UNETSEG_FORMAT_BGR,
  UNETSEG_FORMAT_RGBX,
  UNETSEG_FORMAT_BGRX,
  UNETSEG_FORMAT_XRGB,
  UNETSEG_FORMAT_XBGR,
  UNETSEG_FORMAT_RGBA,
  UNETSEG_FORMAT_BGRA,
  UNETSEG_FORMAT_ARGB,
  UNETSEG_FORMAT_ABGR,
  UNETSEG_FORMAT_GRAY8,
  UNETSEG_FORMAT_I420,
  UNETSEG_FORMAT_NV12,
  UNETSEG_FORMAT_YV12,
  UNETSEG_FORMAT_Y42B,
  UNETSEG_FORMAT_Y444,
  UNETSEG_FORMAT_NV21,
  UNETSEG_FORMAT_YUY2,
  UNETSEG_FORMAT_UYVY,
  UNETSEG_FORMAT_P010_10LE, /* the six low bits of each 16 are zero */
} UnetsegFormat;

/* Where a frame's pixels lie. */
typedef enum {
  UNETSEG_MEMORY_SYSTEM, /* the processor reads and writes them */
  UNETSEG_MEMORY_CUDA,   /* on the session's device, in its primary context; where the session takes them */
} UnetsegMemory;

/* A view of one frame; it owns nothing. The pixels must stay valid during the call it is passed to. */
typedef struct {
  UnetsegFormat format;
  gint width, height;   /* luma pixels, at least 1 x 1; odd sizes round chroma up, and rows of YUY2
                           and UYVY to whole pairs of pixels */
  guint8 *plane[4];     /* address of each plane's pixel (0, 0); not written by `sample` */
  gint stride[4];       /* bytes from a row to the next; any value that does not make rows overlap */
  gdouble kr, kb;       /* luma coefficients of the YUV matrix (BT.601: .299 and .114); unused for RGB, GRAY8 */
  gboolean full_range;  /* luma 0..255 instead of 16..235 (chroma likewise) */
  gboolean chroma_cosited_x, chroma_cosited_y; /* a chroma sample sits on an even luma column / row, not between two */
  gint par_n, par_d;    /* pixel aspect ratio, width to height; 0 counts as 1 */
  UnetsegMemory memory; /* where `plane` points */
  gpointer cuda_stream; /* UNETSEG_MEMORY_CUDA: the CUstream (NULL: the default one) that what wrote the
                           pixels was put into; the call's work comes after it, and what is put into it
                           later comes after the call's work */
} UnetsegFrame;

/* Number format of the network's arithmetic. */
typedef enum {
  UNETSEG_PRECISION_AUTO, /* the fastest that the hardware does not emulate and that keeps the masks */
  UNETSEG_PRECISION_FP32,
  UNETSEG_PRECISION_BF16,
  UNETSEG_PRECISION_FP16,
  UNETSEG_PRECISION_INT8,
} UnetsegPrecision;

/* What runs the network. */
typedef enum {
  UNETSEG_ENGINE_AUTO,      /* the fastest that, tried on this machine, computes what LibTorch does */
  UNETSEG_ENGINE_LIBTORCH,  /* LibTorch's operators: every network, device and precision */
  UNETSEG_ENGINE_FUSED_CPU, /* unetseg's own kernels: improved-unet in fp32 or bf16 on the CPU */
  UNETSEG_ENGINE_FUSED_CUDA, /* those for a GPU, around cuDNN's convolutions: improved-unet */
} UnetsegEngine;

typedef struct {
  const gchar *model_file; /* path of a safetensors file */
  const gchar *device;     /* "auto", "cpu", "cuda" or "cuda:N" */
  UnetsegPrecision precision;
  UnetsegEngine engine;
  guint threads;           /* threads for inference on the CPU; 0 is automatic */
  guint n_slots;           /* frames that may be between `sample` and `draw` at the same time, 1..64 */
} UnetsegOpenOptions;

/* How a frame becomes the network's input, whose shape is another. Pixels count as wide as the pixel
 * aspect ratio makes them. */
typedef enum {
  UNETSEG_FIT_MODEL,     /* as the model's card says */
  UNETSEG_FIT_STRETCH,   /* each axis on its own */
  UNETSEG_FIT_LETTERBOX, /* the whole frame, centred, with black beside it */
  UNETSEG_FIT_CROP,      /* the largest centred part of the input's shape; no lesion outside of it */
} UnetsegFit;

/* Test-time augmentation: probabilities are the mean over copies of the frame. */
typedef enum {
  UNETSEG_TTA_NONE,
  UNETSEG_TTA_FLIPS, /* the frame and its mirror images: 4 copies */
  UNETSEG_TTA_D4,    /* turned by quarters as well: 8 copies; where the input is not square, as FLIPS */
} UnetsegTta;

/* What is loaded. Owned by the session, constant until `close`. */
typedef struct {
  const gchar *architecture; /* "improved-unet" or "seed-unet" */
  const gchar *engine;       /* "libtorch", "fused-cpu" or "fused-cuda" */
  const gchar *device;       /* "cpu" or "cuda:N": where it runs */
  const gchar *precision;    /* "fp32", "bf16", "fp16" or "int8": what it computes in */
  const gchar *notice;       /* a sentence for whoever chose the options, with the cure; mostly empty */
  const gchar *sha256;       /* of the tensors, hexadecimal; empty where the file has none */
  const gchar *name;         /* the file's own name for itself, may be empty */
  gint base_width;           /* channels of the first level */
  gint input_width, input_height; /* pixels of the network's input */
  gdouble threshold;         /* the model's own, 0..1 */
  gboolean takes_cuda_frames; /* frames may be UNETSEG_MEMORY_CUDA; never on the CPU */
} UnetsegModelInfo;

typedef enum {
  UNETSEG_DRAW_OVERLAY,     /* blends colour over the frame in place, in its own format */
  UNETSEG_DRAW_MASK,        /* writes 0 or 255 to every pixel of a GRAY8 frame */
  UNETSEG_DRAW_PROBABILITY, /* writes round(255 p) to every pixel of a GRAY8 frame */
  UNETSEG_DRAW_ALPHA,       /* writes round(255 p) to every pixel's alpha of an RGBA, BGRA, ARGB or
                               ABGR frame, and no other byte */
} UnetsegDrawMode;

/* How the picture moved from one frame to another: what is at (x, y) in the first is at (x', y') in
 * the second, x' = m[0] x + m[1] y + m[2], y' = m[3] x + m[4] y + m[5], in frame widths and heights. */
typedef struct {
  gdouble m[6];
  gdouble confidence; /* 0..1: how sure that is; 0 where it cannot be told */
  gboolean other_scene; /* both frames have something to see, and it is not the same */
} UnetsegMotion;

typedef enum { UNETSEG_SWITCH_MODEL, UNETSEG_SWITCH_ON, UNETSEG_SWITCH_OFF } UnetsegSwitch;

/* How probabilities become a mask. */
typedef struct {
  gdouble threshold; /* probability from which a pixel is lesion, 0..1; negative takes the model's own */
  UnetsegSwitch largest_only, fill_holes; /* clean-up; MODEL is as the model's card says */
  gdouble min_area;  /* smaller regions are dropped, fraction of the frame; negative takes the model's own */
  gdouble min_confidence; /* a mask of which less Dice is to be expected is dropped, 0..1; negative
                             takes the model's own */
  const UnetsegMotion *motion; /* the mask moves with it; NULL: it stays where it was inferred */
} UnetsegMaskOptions;

typedef struct {
  UnetsegDrawMode mode;
  guint32 color;         /* fill, 0xAARRGGBB; its alpha is multiplied by `opacity` */
  gdouble opacity;       /* 0..1 */
  guint32 contour_color; /* 0xAARRGGBB, not affected by `opacity` */
  guint contour_width;   /* in frame pixels; 0 draws none */
} UnetsegStyle;

/* The lesion that a frame's mask shows; what each number means is written in
 * model/measure/measurer.h. Lengths are in frame pixels. Where nothing is found all is 0. */
typedef struct {
  gboolean found;
  gdouble area;                    /* pixels */
  gdouble area_fraction;           /* of the frame, 0..1 */
  gint x, y, width, height;        /* bounding box, pixels */
  gdouble centroid_x, centroid_y;  /* pixel (0, 0) has its centre at (.5, .5) */
  gdouble perimeter, diameter;
  gdouble asymmetry;               /* 0..1, 0 is symmetric */
  gdouble border_irregularity;     /* from 1, which is a disc's */
  gdouble confidence;              /* 0..1 */
} UnetsegMeasurement;

typedef struct _UnetsegSession UnetsegSession;

typedef struct {
  guint32 abi;         /* UNETSEG_BACKEND_ABI of the header that the module was built with */
  guint32 struct_size; /* sizeof(UnetsegBackend) there */

  /* Says whether `device` can be used here: TRUE and in *resolved (free with g_free) "cpu" or
   * "cuda:N". For "auto" it never fails: *notice (free with g_free; may be NULL on return) then
   * says why a GPU that is there cannot be used. Any thread. */
  gboolean (*probe)(const gchar *device, gchar **resolved, gchar **notice, GError **error);

  /* Reads and checks the model and makes the session's buffers. Takes long; any thread. */
  UnetsegSession *(*open)(const UnetsegOpenOptions *options, GError **error);
  const UnetsegModelInfo *(*info)(const UnetsegSession *session);

  /* Scales and normalises `frame` into slot `slot`. Touches that slot only, so it may run while
   * `infer` works on other slots. The same thread as `draw`. */
  gboolean (*sample)(UnetsegSession *session, guint slot, const UnetsegFrame *frame, UnetsegFit fit,
                     GError **error);

  /* Runs the network on `n` sampled slots as one batch; each slot then holds its probabilities, which
   * do not depend on the batch that it was in (FP32 on the CPU: bit for bit). Always called from one
   * and the same thread during a session. */
  gboolean (*infer)(UnetsegSession *session, const guint *slots, guint n, UnetsegTta tta,
                    GError **error);

  /* Estimates the movement from the frame in slot `from` to the one in slot `to`; both are sampled,
   * with the same fit. `motion` holds a guess (the last result, or no movement) and receives the
   * estimate, or keeps the guess where its confidence is 0. May run while `infer` works on either. The same thread as `draw`. */
  gboolean (*track)(UnetsegSession *session, guint from, guint to, UnetsegMotion *motion,
                    GError **error);

  /* Mixes the probabilities of slot `previous`, moved by `motion` (NULL: none), into those of `slot`
   * with `weight`, 0..1, where both show something; where the two were sampled with another fit it
   * does nothing. The same thread as `draw`, after `infer` is done with both. */
  gboolean (*smooth)(UnetsegSession *session, guint slot, guint previous, const UnetsegMotion *motion,
                     gdouble weight, GError **error);

  /* Draws slot `slot`'s newest probabilities onto `frame`, whose size is free to differ from the
   * sampled one. One thread at a time. */
  gboolean (*draw)(UnetsegSession *session, guint slot, const UnetsegFrame *frame,
                   const UnetsegMaskOptions *mask, const UnetsegStyle *style, GError **error);

  /* Measures what `draw` would show of slot `slot` on a frame of this size (pixels, at least 1 x 1).
   * The same thread as `draw`. */
  gboolean (*measure)(UnetsegSession *session, guint slot, gint width, gint height,
                      const UnetsegMaskOptions *mask, UnetsegMeasurement *measurement,
                      GError **error);

  /* Frees the session; NULL is allowed. No other call on it may be running. */
  void (*close)(UnetsegSession *session);
} UnetsegBackend;

/* The module's only exported symbol. The table is static. */
typedef const UnetsegBackend *(*UnetsegBackendGet)(void);

G_END_DECLS
