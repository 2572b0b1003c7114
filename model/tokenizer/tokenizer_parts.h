/* tokenizer_parts.h - what a tokenizer is made of; for the files of this folder. */
#pragma once
#include "model/tokenizer/added_tokens.h"
#include "model/tokenizer/bpe.h"
#include "model/tokenizer/normalizer.h"
#include "model/tokenizer/piece_decoder.h"
#include "model/tokenizer/post_processor.h"
#include "model/tokenizer/pre_tokenizer.h"
#include "model/tokenizer/tokenizer.h"
#include "model/tokenizer/vocabulary.h"

struct tokenizer {
    struct vocabulary vocabulary;
    struct added_tokens exact;      /* looked for in the text as it came */
    struct added_tokens normalized; /* looked for, themselves normalised, after the normalizer */
    struct normalizer normalizer;
    struct pre_tokenizer pre_tokenizer;
    struct bpe bpe;
    struct post_processor post_processor;
    struct piece_decoder decoder;
    char bos_text[TOKENIZER_PIECE_BYTES_MAX + 1], eos_text[TOKENIZER_PIECE_BYTES_MAX + 1];
};
