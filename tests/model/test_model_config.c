/* Method: a small config.json with one field changed at a time. A good one gives the values that
 * transformers would; a bad one a status and a line with the field's name. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "model/json_field.h"
#include "model/model_family.h"
#include "tests/check.h"

enum { TEXT_BYTES = 2048 };

static const char required[] =
    "\"architectures\":[\"LlamaForCausalLM\"],\"hidden_size\":32,\"intermediate_size\":86,"
    "\"num_hidden_layers\":2,\"num_attention_heads\":4,\"vocab_size\":97";

static enum status parse(const char *text, const char *generation, struct model_config *out,
                         struct failure *failure)
{
    json_t *config = NULL;
    json_t *more = NULL;
    enum status status = json_field_parse(text, strlen(text), "config.json", &config, failure);
    if (status == STATUS_OK && generation) {
        status = json_field_parse(generation, strlen(generation), "generation_config.json", &more,
                                  failure);
    }
    if (status == STATUS_OK) {
        status = model_config_parse(config, more, out, failure);
    }
    json_decref(config);
    json_decref(more);
    return status;
}

static enum status parse_with(const char *extra, const char *generation, struct model_config *out,
                              struct failure *failure)
{
    char text[TEXT_BYTES];
    snprintf(text, sizeof text, "{%s%s%s}", required, extra[0] ? "," : "", extra);
    return parse(text, generation, out, failure);
}

static void missing_fields_have_transformers_defaults(void)
{
    struct model_config config;
    struct failure failure = {""};
    CHECK(parse_with("", NULL, &config, &failure) == STATUS_OK, "%s", failure.text);
    CHECK(config.kv_head_count == 4 && config.head_dim == 8, "heads");
    CHECK(config.context_tokens_max == 2048, "context %u", config.context_tokens_max);
    CHECK(fabsf(config.rms_norm_eps - 1e-6F) < 1e-12F, "eps");
    CHECK(config.rope.type == ROPE_DEFAULT && fabs(config.rope.theta - 1e4) < 1e-9, "rope");
    CHECK(!config.ties_embeddings && !config.has_attention_bias && !config.has_mlp_bias, "flags");
    CHECK(config.eos_count == 1 && config.eos_ids[0] == 2, "eos");
}

static void every_field_arrives(void)
{
    struct model_config config;
    struct failure failure = {""};
    CHECK(
        parse_with("\"num_key_value_heads\":2,\"head_dim\":10,\"max_position_embeddings\":77,"
                   "\"rms_norm_eps\":0.5,\"rope_theta\":123.5,\"tie_word_embeddings\":true,"
                   "\"attention_bias\":true,\"mlp_bias\":true,\"eos_token_id\":[5,6],"
                   "\"rope_scaling\":{\"rope_type\":\"llama3\",\"factor\":8,\"low_freq_factor\":1,"
                   "\"high_freq_factor\":4,\"original_max_position_embeddings\":64}",
                   NULL, &config, &failure)
            == STATUS_OK,
        "%s", failure.text);
    CHECK(config.hidden_dim == 32 && config.ffn_dim == 86 && config.layer_count == 2, "dims");
    CHECK(config.head_count == 4 && config.kv_head_count == 2 && config.head_dim == 10, "heads");
    CHECK(config.vocabulary_count == 97 && config.context_tokens_max == 77, "sizes");
    CHECK(config.ties_embeddings && config.has_attention_bias && config.has_mlp_bias, "flags");
    CHECK(config.eos_count == 2 && config.eos_ids[1] == 6, "eos");
    const struct rope_config *rope = &config.rope;
    CHECK(rope->type == ROPE_LLAMA3 && fabs(rope->factor - 8) < 1e-9, "rope");
    CHECK(fabs(rope->theta - 123.5) < 1e-9 && rope->original_context_tokens == 64, "rope");
    CHECK(fabs(rope->low_freq_factor - 1) + fabs(rope->high_freq_factor - 4) < 1e-9, "rope");
}

#define FP8        "\"quantization_config\":{\"quant_method\":\"fp8\""
#define COMPRESSED "\"quantization_config\":{\"quant_method\":\"compressed-tensors\",\"format\":"
#define GROUP      COMPRESSED "\"float-quantized\",\"config_groups\":{\"g\":{\"weights\":{"

static const struct {
    const char *extra, *generation;
    enum rope_type rope;
    double theta, factor;
    uint32_t eos_count, eos_last;
} good[] = {
    {"\"rope_scaling\":null", NULL, ROPE_DEFAULT, 1e4, 0, 1, 2},
    {"\"rope_scaling\":{\"type\":\"linear\",\"factor\":2.5}", NULL, ROPE_LINEAR, 1e4, 2.5, 1, 2},
    {"\"rope_scaling\":{\"rope_type\":\"default\"}", NULL, ROPE_DEFAULT, 1e4, 0, 1, 2},
    {"\"rope_parameters\":{\"rope_theta\":20000.0}", NULL, ROPE_DEFAULT, 2e4, 0, 1, 2},
    {"\"rope_parameters\":{\"rope_theta\":2e4,\"rope_type\":\"linear\",\"factor\":4}", NULL,
     ROPE_LINEAR, 2e4, 4, 1, 2},
    {"\"rope_theta\":500000,\"dtype\":\"bfloat16\",\"transformers_version\":\"5.0\"", NULL,
     ROPE_DEFAULT, 5e5, 0, 1, 2},
    {"\"partial_rotary_factor\":1.0,\"sliding_window\":null,\"quantization_config\":null", NULL,
     ROPE_DEFAULT, 1e4, 0, 1, 2},
    {"\"head_dim\":null,\"num_key_value_heads\":null,\"mlp_bias\":null", NULL, ROPE_DEFAULT, 1e4, 0,
     1, 2},
    {"\"eos_token_id\":7", NULL, ROPE_DEFAULT, 1e4, 0, 1, 7},
    {"\"eos_token_id\":null", NULL, ROPE_DEFAULT, 1e4, 0, 1, 2},
    {"\"eos_token_id\":7", "{\"eos_token_id\":[8,9]}", ROPE_DEFAULT, 1e4, 0, 2, 9},
    {"\"eos_token_id\":7", "{\"temperature\":0.6}", ROPE_DEFAULT, 1e4, 0, 1, 7},
    {"\"max_position_embeddings\":2147483647", NULL, ROPE_DEFAULT, 1e4, 0, 1, 2},
};

static void fp8_is_read(void)
{
    static const struct {
        const char *extra;
        uint32_t block;
    } cases[] = {
        {FP8 "}", 0},
        {FP8 ",\"weight_block_size\":[128,128],\"scale_fmt\":\"ue8m0\",\"dequantize\":false}", 128},
        {GROUP "\"strategy\":\"channel\"}}}}", 0},
        {GROUP "\"strategy\":\"block\",\"block_structure\":[128,128]}}}}", 128},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct model_config config;
        struct failure failure = {""};
        CHECK(parse_with(cases[i].extra, NULL, &config, &failure) == STATUS_OK, "%s", failure.text);
        CHECK(config.quantization.is_fp8 && config.quantization.scale_block == cases[i].block,
              "case %zu: blocks of %u", i, config.quantization.scale_block);
    }
}

static void both_spellings_are_read(void)
{
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        struct model_config config;
        struct failure failure = {""};
        const enum status got = parse_with(good[i].extra, good[i].generation, &config, &failure);
        CHECK(got == STATUS_OK, "case %zu: %s", i, failure.text);
        CHECK(config.rope.type == good[i].rope, "case %zu: type", i);
        CHECK(fabs(config.rope.theta - good[i].theta) < 1e-9, "case %zu: theta", i);
        CHECK(fabs(config.rope.factor - good[i].factor) < 1e-9, "case %zu: factor", i);
        CHECK(config.eos_count == good[i].eos_count, "case %zu: eos", i);
        CHECK(config.eos_ids[config.eos_count - 1] == good[i].eos_last, "case %zu: eos", i);
        CHECK(config.context_tokens_max <= LIMIT_CONTEXT_TOKENS, "case %zu: context", i);
    }
}

#define LLAMA3 "\"rope_type\":\"llama3\",\"factor\":8"

static const struct {
    const char *extra; /* NULL: text is the whole file */
    const char *text;
    enum status want;
    const char *says;
} bad[] = {
    {"\"num_key_value_heads\":3", NULL, STATUS_INVALID, "num_key_value_heads 3"},
    {"\"num_key_value_heads\":0", NULL, STATUS_INVALID, "num_key_value_heads"},
    {"\"num_key_value_heads\":8", NULL, STATUS_INVALID, "num_key_value_heads"},
    {"\"head_dim\":7", NULL, STATUS_INVALID, "head_dim 7 must be even"},
    {"\"head_dim\":514", NULL, STATUS_INVALID, "head_dim"},
    {"\"head_dim\":8.0", NULL, STATUS_INVALID, "head_dim"},
    {"\"rms_norm_eps\":0", NULL, STATUS_INVALID, "rms_norm_eps"},
    {"\"rms_norm_eps\":-1e-5", NULL, STATUS_INVALID, "rms_norm_eps"},
    {"\"rms_norm_eps\":\"1e-5\"", NULL, STATUS_INVALID, "rms_norm_eps"},
    {"\"rms_norm_eps\":NaN", NULL, STATUS_INVALID, "field rms_norm_eps"},
    {"\"rms_norm_eps\":Infinity", NULL, STATUS_INVALID, "field rms_norm_eps"},
    {"\"rms_norm_eps\":1e999", NULL, STATUS_INVALID, "field rms_norm_eps"},
    {"\"rope_theta\":0", NULL, STATUS_INVALID, "rope_theta"},
    {"\"rope_theta\":[]", NULL, STATUS_INVALID, "rope_theta"},
    {"\"rope_theta\":1e300", NULL, STATUS_INVALID, "rope_theta"},
    {"\"rope_scaling\":{\"type\":\"yarn\",\"factor\":4}", NULL, STATUS_UNSUPPORTED, "yarn"},
    {"\"rope_scaling\":{\"type\":\"dynamic\",\"factor\":4}", NULL, STATUS_UNSUPPORTED, "dynamic"},
    {"\"rope_scaling\":{\"rope_type\":\"longrope\"}", NULL, STATUS_UNSUPPORTED, "longrope"},
    {"\"rope_scaling\":{\"type\":\"linear\"}", NULL, STATUS_INVALID, "factor is missing"},
    {"\"rope_scaling\":{\"type\":\"linear\",\"factor\":0}", NULL, STATUS_INVALID, "factor"},
    {"\"rope_scaling\":{\"factor\":2}", NULL, STATUS_INVALID, "rope_type is missing"},
    {"\"rope_scaling\":{\"type\":1}", NULL, STATUS_INVALID, "type must be a string"},
    {"\"rope_scaling\":[]", NULL, STATUS_INVALID, "rope_scaling must be an object"},
    {"\"rope_scaling\":{" LLAMA3 "}", NULL, STATUS_INVALID, "low_freq_factor is missing"},
    {"\"rope_scaling\":{" LLAMA3 ",\"low_freq_factor\":1}", NULL, STATUS_INVALID,
     "high_freq_factor is missing"},
    {"\"rope_scaling\":{" LLAMA3 ",\"low_freq_factor\":4,\"high_freq_factor\":4}", NULL,
     STATUS_INVALID, "high_freq_factor must be larger"},
    {"\"rope_scaling\":{" LLAMA3 ",\"low_freq_factor\":1,\"high_freq_factor\":4}", NULL,
     STATUS_INVALID, "original_max_position_embeddings is missing"},
    {"\"partial_rotary_factor\":0.5", NULL, STATUS_UNSUPPORTED, "partial_rotary_factor"},
    {"\"rope_parameters\":{\"partial_rotary_factor\":0.5}", NULL, STATUS_UNSUPPORTED,
     "rope_parameters: partial_rotary_factor"},
    {"\"hidden_act\":\"gelu\"", NULL, STATUS_UNSUPPORTED, "hidden_act gelu"},
    {"\"hidden_act\":1", NULL, STATUS_INVALID, "hidden_act"},
    {"\"sliding_window\":4096", NULL, STATUS_UNSUPPORTED, "sliding_window"},
    {"\"quantization_config\":{\"quant_method\":\"awq\"}", NULL, STATUS_UNSUPPORTED,
     "quantization_config: quant_method awq"},
    {"\"quantization_config\":{}", NULL, STATUS_UNSUPPORTED, "quant_method  is"},
    {"\"quantization_config\":7", NULL, STATUS_INVALID, "quantization_config must be an object"},
    {FP8 ",\"weight_block_size\":[64,64]}", NULL, STATUS_UNSUPPORTED, "weight_block_size is"},
    {FP8 ",\"weight_block_size\":[128]}", NULL, STATUS_UNSUPPORTED, "weight_block_size is"},
    {FP8 ",\"weight_block_size\":[128,128,128]}", NULL, STATUS_UNSUPPORTED, "weight_block_size"},
    {FP8 ",\"weight_block_size\":128}", NULL, STATUS_UNSUPPORTED, "weight_block_size is"},
    {FP8 ",\"fmt\":\"e5m2\"}", NULL, STATUS_UNSUPPORTED, "fmt e5m2"},
    {FP8 ",\"fmt\":5}", NULL, STATUS_INVALID, "fmt must be a string"},
    {FP8 ",\"rotation\":\"hadamard\"}", NULL, STATUS_UNSUPPORTED, "rotation is not"},
    {COMPRESSED "\"pack-quantized\"}", NULL, STATUS_UNSUPPORTED, "format pack-quantized"},
    {COMPRESSED "null}", NULL, STATUS_UNSUPPORTED, "a missing format"},
    {COMPRESSED "\"float-quantized\"}", NULL, STATUS_UNSUPPORTED, "one group"},
    {COMPRESSED "\"float-quantized\",\"kv_cache_scheme\":{\"num_bits\":8}}", NULL,
     STATUS_UNSUPPORTED, "kv_cache_scheme"},
    {GROUP "\"num_bits\":4}}}}", NULL, STATUS_INVALID, "g: weights: num_bits"},
    {GROUP "\"type\":\"int\"}}}}", NULL, STATUS_UNSUPPORTED, "g: weights: type int"},
    {GROUP "\"strategy\":\"group\"}}}}", NULL, STATUS_UNSUPPORTED, "strategy group"},
    {GROUP "\"symmetric\":false}}}}", NULL, STATUS_UNSUPPORTED, "symmetric"},
    {GROUP "\"actorder\":\"group\"}}}}", NULL, STATUS_UNSUPPORTED, "actorder"},
    {GROUP "\"block_structure\":[1,32]}}}}", NULL, STATUS_UNSUPPORTED, "block_structure"},
    {"\"tie_word_embeddings\":1", NULL, STATUS_INVALID, "tie_word_embeddings"},
    {"\"attention_bias\":\"yes\"", NULL, STATUS_INVALID, "attention_bias"},
    {"\"mlp_bias\":0", NULL, STATUS_INVALID, "mlp_bias"},
    {"\"torch_dtype\":16", NULL, STATUS_INVALID, "torch_dtype"},
    {"\"max_position_embeddings\":0", NULL, STATUS_INVALID, "max_position_embeddings"},
    {"\"max_position_embeddings\":4294967296", NULL, STATUS_INVALID, "max_position_embeddings"},
    {"\"eos_token_id\":-1", NULL, STATUS_INVALID, "eos_token_id"},
    {"\"eos_token_id\":[1,null]", NULL, STATUS_INVALID, "eos_token_id"},
    {"\"eos_token_id\":[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1]", NULL, STATUS_TOO_LARGE,
     "eos_token_id"},
    {"\"vocab_size\":98", NULL, STATUS_INVALID, "duplicate"},
    {NULL, "", STATUS_INVALID, "config.json: line 1: not valid JSON"},
    {NULL, "[]", STATUS_INVALID, "must be a JSON object"},
    {NULL, "{}", STATUS_INVALID, "architectures"},
    {NULL, "{\"architectures\":\"LlamaForCausalLM\"}", STATUS_INVALID, "architectures"},
    {NULL, "{\"architectures\":[]}", STATUS_INVALID, "architectures"},
    {NULL, "{\"architectures\":[\"GPT2LMHeadModel\"]}", STATUS_UNSUPPORTED,
     "GPT2LMHeadModel is not supported; supported: LlamaForCausalLM"},
    {NULL, "{\"architectures\":[\"LlamaForCausalLM\"]}", STATUS_INVALID, "vocab_size is missing"},
    {NULL, "{\"architectures\":[\"LlamaForCausalLM\"],\"vocab_size\":1048577}", STATUS_INVALID,
     "vocab_size"},
    {NULL, "{\"architectures\":[\"LlamaForCausalLM\"],\"vocab_size\":9,\"hidden_size\":2147483648}",
     STATUS_INVALID, "hidden_size"},
    {NULL,
     "{\"architectures\":[\"LlamaForCausalLM\"],\"vocab_size\":9,\"hidden_size\":30,"
     "\"intermediate_size\":8,\"num_hidden_layers\":1,\"num_attention_heads\":4}",
     STATUS_INVALID, "hidden_size 30 is not a multiple"},
    {NULL,
     "{\"architectures\":[\"LlamaForCausalLM\"],\"vocab_size\":9,\"hidden_size\":32,"
     "\"intermediate_size\":8,\"num_hidden_layers\":1,\"num_attention_heads\":1048576,"
     "\"num_key_value_heads\":1048576,\"head_dim\":512}",
     STATUS_INVALID, "num_attention_heads 1048576 * head_dim 512"},
    {NULL,
     "{\"architectures\":[\"LlamaForCausalLM\"],\"vocab_size\":9,\"hidden_size\":32,"
     "\"intermediate_size\":8,\"num_hidden_layers\":1,\"num_attention_heads\":128,"
     "\"num_key_value_heads\":1,\"head_dim\":2}",
     STATUS_INVALID, "num_attention_heads 128"},
    {NULL, "{\"a\":\"\xff\"}", STATUS_INVALID, "config.json"},
};

static void a_bad_field_is_named(void)
{
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct model_config config;
        struct failure failure = {""};
        const enum status got = bad[i].extra ? parse_with(bad[i].extra, NULL, &config, &failure)
                                             : parse(bad[i].text, NULL, &config, &failure);
        CHECK(got == bad[i].want, "case %zu: %s: %s", i, status_name(got), failure.text);
        CHECK(strncmp(failure.text, "config.json", 11) == 0, "case %zu: %s", i, failure.text);
        CHECK(strstr(failure.text, bad[i].says), "case %zu: %s", i, failure.text);
    }
    struct model_config config;
    struct failure failure = {""};
    CHECK(parse_with("", "{\"eos_token_id\":\"x\"}", &config, &failure) == STATUS_INVALID, "type");
    CHECK(strstr(failure.text, "generation_config.json: eos_token_id"), "%s", failure.text);
}

CHECK_MAIN(missing_fields_have_transformers_defaults, every_field_arrives, both_spellings_are_read,
           fp8_is_read, a_bad_field_is_named)
