/* quantization.h - config.json's quantization_config. Two ways of storing fp8 (e4m3) weights are
 * built, both value = stored * scale: quant_method "fp8" (DeepSeek's; a scale for each 128 x 128
 * block, or for a tensor) and "compressed-tensors" with format "float-quantized" (a scale for a
 * tensor, an out feature, or a block). Which tensors are fp8, their own dtype says. Activations
 * stay wider than the checkpoint asks for, whatever it says of them. All else is refused by name.
 */
#pragma once
#include "model/json_field.h"
#include "model/model_config.h"

/* source: the whole of config.json; *out stays as it is where it has no quantization_config. */
MUST_CHECK enum status quantization_read(const struct json_source *source,
                                         struct quantization_config *out);
