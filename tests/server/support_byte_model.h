/* support_byte_model.h - a model without weights whose token b is byte b, for tests of everything
 * between tokens and text. Two special tokens; a template that shows what it was given. */
#pragma once
#include "model/model.h"

enum { BYTE_MODEL_MARK = 256, BYTE_MODEL_END = 257, BYTE_MODEL_VOCABULARY = 300 };

/* The prompt of messages is "<|mark|>role:content" each, then "<|mark|>". False: it failed, and
 * said why on stderr. Destroy in any case. */
bool byte_model_create(struct model *out);
void byte_model_destroy(struct model *model);
