// SPDX-License-Identifier: MIT
#include "plugin/model_info.h"

namespace unetseg {

StructurePtr describe_model(const Inference& model) {
  const UnetsegModelInfo& info = model.info();
  const std::string& file = model.file();
  return StructurePtr(gst_structure_new("unetseg-model-info",                              //
                                        "file", G_TYPE_STRING, file.c_str(),               //
                                        "name", G_TYPE_STRING, info.name,                  //
                                        "sha256", G_TYPE_STRING, info.sha256,              //
                                        "architecture", G_TYPE_STRING, info.architecture,  //
                                        "engine", G_TYPE_STRING, info.engine,              //
                                        "precision", G_TYPE_STRING, info.precision,        //
                                        "base-width", G_TYPE_INT, info.base_width,         //
                                        "input-width", G_TYPE_INT, info.input_width,       //
                                        "input-height", G_TYPE_INT, info.input_height,     //
                                        "threshold", G_TYPE_DOUBLE, info.threshold, nullptr));
}

}  // namespace unetseg
