/* normal_form.h - Unicode normalisation forms, in linear time whatever the text: utf8proc gives the
 * facts of each code point; runs of marks are sorted here, because a sort by insertion would let a
 * megabyte of combining marks stop a thread. */
#pragma once
#include "model/tokenizer/marked_text.h"

enum normal_form { NORMAL_FORM_C, NORMAL_FORM_D, NORMAL_FORM_KC, NORMAL_FORM_KD };

/* Appends the form of in, valid UTF-8, to out. STATUS_TOO_LARGE, STATUS_IO. */
MUST_CHECK enum status normal_form_apply(enum normal_form form, struct marked_span in,
                                         struct marked_text *out);
