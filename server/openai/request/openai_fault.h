/* openai_fault.h - what is wrong with a request, as the client will read it. A plain value, owned
 * by the caller; meaningful when a function that takes one did not return STATUS_OK. Names fields
 * and what is allowed, never text of a prompt. */
#pragma once
#include "base/failure.h"

enum { OPENAI_PARAM_BYTES = 96 };

struct openai_fault {
    int http_code;
    const char *code;               /* a literal: "invalid_value", ... */
    char param[OPENAI_PARAM_BYTES]; /* "messages[2].content"; "": none */
    struct failure failure;
};

/* 400. Writes the fault and returns STATUS_INVALID, so that a caller can return it. */
enum status openai_fault_set(struct openai_fault *fault, const char *param, const char *code,
                             const char *format, ...) __attribute__((format(printf, 4, 5)));

/* "PARAM must be WHAT", the most frequent one: invalid_value. */
enum status openai_fault_must(struct openai_fault *fault, const char *param, const char *what);
