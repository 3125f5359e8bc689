// SPDX-License-Identifier: MIT
// The suites that need LibTorch. They share one program, since each program pays for its headers;
// torch_suites.cpp runs the one that the command line names.
#pragma once

#include "tests/check.h"

Suite* network_suite();
Suite* norm_activate_suite();
Suite* training_operations_suite();
Suite* fused_suite();
Suite* cuda_conv_suite();
Suite* cuda_kernels_suite();
Suite* cuda_network_suite();
Suite* augment_suite();
Suite* batch_gradient_suite();
Suite* device_step_suite();
Suite* optimizer_suite();
Suite* training_suite();
Suite* checkpoint_suite();
Suite* teacher_suite();
Suite* widen_suite();
