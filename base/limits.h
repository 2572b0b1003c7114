/* limits.h - every fixed limit that more than one folder must agree on. Settings that an operator
 * may change are in server/config.def, with ranges that stay inside these. */
#pragma once

enum {
    LIMIT_TENANTS = 1024,           /* live tenants of one server */
    LIMIT_SEQUENCES = 4096,         /* sequences that a scheduler may know of at once */
    LIMIT_STEP_TOKENS = 131072,     /* tokens in one step */
    LIMIT_CONTEXT_TOKENS = 1048576, /* prompt and output of one sequence */
    LIMIT_VOCABULARY = 1048576,     /* token ids of one model */
    LIMIT_LOGIT_BIAS = 300,         /* logit_bias entries of one request, as in the OpenAI API */
    LIMIT_TOP_LOGPROBS = 20,        /* alternatives reported a token, as in the OpenAI API */
    LIMIT_SAMPLES = 128,            /* n of one request, as in the OpenAI API */
    LIMIT_STOP_TOKENS = 16,         /* ids that end a sequence */
    LIMIT_STOP_STRINGS = 4,         /* stop strings of one request, as in the OpenAI API */
    LIMIT_STOP_STRING_BYTES = 256,
};
