/* verb_verify.c - `ward audit verify`: is the log whole and unchanged; if not, where and how. */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "audit/examine/proof.h"
#include "audit/examine/verify.h"
#include "server/audit_terms.h"
#include "server/commands/audit/audit_verbs.h"

enum {
    CHECKPOINT_FILE_BYTES_MAX = 256 << 20,
    PROOF_BYTES_MAX = 1 << 30,
    PROGRESS_BYTES_MIN = 64 << 20,
};

static struct {
    const char *public_key, *officer_key, *checkpoint, *config, *proof;
    bool checks_redis, prints_json;
} given;

static const struct option_row rows[] = {
    {.name = "public-key",
     .kind = OPTION_TEXT,
     .out = &given.public_key,
     .value = "FILE",
     .help = "the signer's, kept elsewhere; default signing.pub beside the records"},
    {.name = "officer-key",
     .kind = OPTION_TEXT,
     .out = &given.officer_key,
     .value = "FILE",
     .help = "officer.key, which was taken from the server: checks the MACs"},
    {.name = "checkpoint",
     .kind = OPTION_TEXT,
     .out = &given.checkpoint,
     .value = "FILE",
     .help = "lines of `ward audit checkpoint` that were kept elsewhere; the last counts"},
    {.name = "redis",
     .kind = OPTION_FLAG,
     .out = &given.checks_redis,
     .help = "also the copy in Redis, by itself and against the records here"},
    {.name = "config",
     .letter = 'c',
     .kind = OPTION_TEXT,
     .out = &given.config,
     .value = "FILE",
     .help = "for --redis: the configuration of `ward serve`, else $WARD_CONFIG"},
    {.name = "proof",
     .kind = OPTION_TEXT,
     .out = &given.proof,
     .value = "FILE",
     .help = "instead: a bundle of `ward audit export --proof`; needs no records here"},
    {.name = "json", .kind = OPTION_FLAG, .out = &given.prints_json, .help = "one JSON object"},
    STATE_ROW,
};

static int check(void)
{
    if (given.proof && (given.checks_redis || given.officer_key || given.checkpoint)) {
        return options_wrong("--proof: is checked with --public-key alone");
    }
    return given.config && !given.checks_redis
               ? options_wrong("--config: says where Redis is; it goes with --redis")
               : OPTIONS_READY;
}

/* ---- what to check with ---------------------------------------------------------------------- */

struct means {
    uint8_t public_key[CHECKPOINT_KEY_BYTES], officer_key[DIGEST_BYTES];
    uint8_t checkpoint[RECORD_BODY_BYTES_MAX];
    struct verify_options options;
};

static enum status read_checkpoint(struct means *means, struct failure *failure)
{
    struct buffer text = {.limit_bytes = CHECKPOINT_FILE_BYTES_MAX};
    size_t length = 0;
    enum status status = buffer_read_file(&text, given.checkpoint);
    if (status != STATUS_OK) {
        fail(failure, status, "%.200s: cannot be read: %s", given.checkpoint, status_text(status));
    } else {
        while (text.length > 0 && strchr("\r\n ", text.bytes[text.length - 1])) {
            text.length--;
        }
        const char *before = text.length > 0 ? memrchr(text.bytes, '\n', text.length) : NULL;
        const char *line = before ? before + 1 : text.bytes;
        const size_t line_bytes = line ? text.length - (size_t)(line - text.bytes) : 0;
        status = line ? checkpoint_read_line(line, line_bytes, means->checkpoint, &length)
                      : STATUS_INVALID;
        if (status != STATUS_OK) {
            fail(failure, status, "%.200s: its last line is not one of `ward audit checkpoint`",
                 given.checkpoint);
        }
    }
    buffer_destroy(&text);
    means->options.checkpoint = means->checkpoint;
    means->options.checkpoint_bytes = length;
    return status;
}

static enum status read_means(struct means *means, struct failure *failure)
{
    enum status status = STATUS_OK;
    if (given.public_key) {
        status = directory_read_key_file(given.public_key, means->public_key, failure);
        means->options.public_key = means->public_key;
    }
    if (status == STATUS_OK && given.officer_key) {
        status = directory_read_key_file(given.officer_key, means->officer_key, failure);
        means->options.officer_key = means->officer_key;
    }
    if (status == STATUS_OK && given.checkpoint) {
        status = read_checkpoint(means, failure);
    }
    return status;
}

static void show_progress(void *context, uint64_t bytes_done, uint64_t bytes_total)
{
    uint64_t *shown = context; /* percent and one; 0: nothing yet */
    const uint64_t percent = bytes_total > 0 ? bytes_done * 100 / bytes_total : 100;
    if (bytes_total < PROGRESS_BYTES_MIN || percent + 1 == *shown) {
        return;
    }
    *shown = percent + 1;
    fprintf(stderr, percent < 100 ? "\r%3" PRIu64 " %%" : "\r     \r", percent);
}

/* ---- telling --------------------------------------------------------------------------------- */

static const char *what_to_do(const struct verify_result *result)
{
    switch (result->kind) {
    case VERIFY_REWRITE:
        if (result->checkpoints == 0 || (given.officer_key && result->macs_checked == 0)) {
            return "see that the key is this log's; if it is, all was rewritten: keep the files";
        }
        break;
    case VERIFY_BIT_FLIP:
        return "the disk or a hand changed bytes: keep the file, compare with a backup or --redis";
    case VERIFY_TRUNCATION:
        return "records that were kept are gone: keep the files, compare with a backup or --redis";
    case VERIFY_TRIMMED:
        return "look who may trim in Redis; the spool still has the records";
    case VERIFY_DIFFERENCE:
        return "keep both as they are, and look who may write to Redis";
    case VERIFY_MALFORMED:
        return "no Ward wrote this: keep the files, and look who may write here";
    case VERIFY_INTACT:
    case VERIFY_DELETION:
    case VERIFY_INSERTION:
    case VERIFY_SWAP:
    case VERIFY_REPLAY:
    case VERIFY_BREAK_COUNT:
        break;
    }
    return "somebody changed the records: keep the files, compare with --redis and a checkpoint "
           "that was kept elsewhere";
}

/* The line on stderr of what is broken; returns the exit code. */
static int tell_break(const char *what, const struct verify_result *result, const char *advice)
{
    if (result->kind == VERIFY_INTACT) {
        return 0;
    }
    struct failure failure;
    fail(&failure, STATUS_INVALID, "%s is broken: %s at record %" PRIu64 ": %.120s; %s", what,
         verify_break_name(result->kind), result->sequence, result->text, advice);
    return options_failed(&failure);
}

static void print_result(const char *what, const struct verify_result *result)
{
    printf("%s\n  records      %" PRIu64 ", the first is %" PRIu64 "; %" PRIu64 " erased by age\n",
           what, result->records, result->first_sequence, result->erased);
    printf("  checkpoints  %" PRIu64 "; signed up to record %" PRIu64 "\n", result->checkpoints,
           result->last_signed);
    if (result->macs_checked > 0 || given.officer_key) {
        printf("  MACs         %" PRIu64 " checked%s\n", result->macs_checked,
               given.officer_key ? "" : " with the officer.key that still lies here");
    }
    if (result->kind == VERIFY_INTACT && result->text[0]) {
        printf("  beware       %s\n", result->text);
    }
    if (result->torn_bytes > 0) {
        printf("  tail         %" PRIu64 " bytes that were never told to be kept\n",
               result->torn_bytes);
    }
    if (result->is_live) {
        printf("  live         a server is writing, the end moves\n");
    }
    if (result->kind == VERIFY_INTACT) {
        printf("  result       intact\n");
    } else {
        printf("  result       BROKEN: %s at record %" PRIu64 "\n", verify_break_name(result->kind),
               result->sequence);
        if (result->place.segment > 0) {
            printf("               segment %020" PRIu64 ", offset %" PRIu64 "\n",
                   result->place.segment, result->place.offset);
        }
        printf("               %s\n", result->text);
    }
}

static json_t *describe_break(const struct verify_result *result, bool has_place)
{
    if (result->kind == VERIFY_INTACT) {
        return json_null();
    }
    json_t *found = json_pack("{s:s, s:I, s:s}", "kind", verify_break_name(result->kind),
                              "sequence", (json_int_t)result->sequence, "text", result->text);
    json_object_set_new(found, "segment",
                        has_place ? json_integer((json_int_t)result->place.segment) : json_null());
    json_object_set_new(found, "offset",
                        has_place ? json_integer((json_int_t)result->place.offset) : json_null());
    return found;
}

static json_t *describe(const struct verify_result *result, bool has_place)
{
    const bool is_intact = result->kind == VERIFY_INTACT;
    return json_pack(
        "{s:b, s:I, s:o, s:s?, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:b}", "ok", is_intact, "records",
        (json_int_t)result->records, "first_break", describe_break(result, has_place),
        "not_checked", is_intact && result->text[0] ? result->text : NULL, "first_sequence",
        (json_int_t)result->first_sequence, "erased", (json_int_t)result->erased, "checkpoints",
        (json_int_t)result->checkpoints, "signed_up_to", (json_int_t)result->last_signed,
        "macs_checked", (json_int_t)result->macs_checked, "bytes", (json_int_t)result->bytes,
        "torn_bytes", (json_int_t)result->torn_bytes, "live", result->is_live);
}

/* Takes ownership of told. */
static void print_json(json_t *told)
{
    json_dumpf(told, stdout, JSON_COMPACT);
    putchar('\n');
    json_decref(told);
}

/* ---- a spool, and Redis ---------------------------------------------------------------------- */

static struct config config; /* with --redis */
static struct redis_terms redis_terms;

/* The settings also say where the records are, unless --state-dir does. */
static enum status load_settings(struct failure *failure)
{
    if (!given.checks_redis) {
        return STATUS_OK;
    }
    const enum status status = config_load(&config, given.config, failure);
    state_given = state_given ? state_given : config.state_dir;
    return status == STATUS_OK ? audit_terms_redis(&config, &redis_terms, failure) : status;
}

/* With the public key given, the log needs no signing.pub. */
static enum status verify_log(const struct means *means, struct state *state,
                              struct verify_result *out, struct failure *failure)
{
    enum status status =
        given.public_key ? state_find(state, failure) : audit_verbs_find(state, failure);
    if (status == STATUS_OK) {
        status = verify_spool(state->audit_directory, &means->options, out, failure);
    }
    if (status == STATUS_OK && out->kind == VERIFY_INTACT && out->first_sequence == 0) {
        status =
            fail(failure, STATUS_NOT_FOUND,
                 "%.200s: there is no record here: name the directory of the server that wrote "
                 "them with --state-dir",
                 state->audit_directory);
    }
    return status;
}

static int tell(const struct verify_result *spool, const struct verify_result *redis)
{
    if (given.prints_json) {
        json_t *told = describe(spool, true);
        if (redis) {
            json_object_set_new(told, "redis", describe(redis, false));
            if (spool->kind == VERIFY_INTACT && redis->kind != VERIFY_INTACT) {
                json_object_set_new(told, "ok", json_false());
                json_object_set_new(told, "first_break", describe_break(redis, false));
            }
        }
        print_json(told);
    } else {
        print_result("audit log", spool);
        if (redis) {
            print_result("copy in Redis", redis);
        }
    }
    const int code = tell_break("the audit log", spool, what_to_do(spool));
    return code != 0 || !redis ? code : tell_break("the copy in Redis", redis, what_to_do(redis));
}

/* What was found here is told to people also when the copy cannot be read. */
static int tell_without_copy(const struct verify_result *spool, struct failure *failure)
{
    if (!given.prints_json) {
        tell(spool, NULL);
    }
    fail_prefix(failure, "the copy in Redis cannot be checked");
    return options_failed(failure);
}

static int run_on_spool(struct means *means)
{
    struct failure failure = {""};
    struct state state;
    struct verify_result spool = {0}, redis = {0};
    static uint64_t shown;
    if (isatty(STDERR_FILENO)) {
        means->options.progress = show_progress;
        means->options.progress_context = &shown;
    }
    enum status status = load_settings(&failure);
    if (status == STATUS_OK) {
        status = verify_log(means, &state, &spool, &failure);
    }
    if (status == STATUS_OK && given.checks_redis) {
        shown = 0;
        if (verify_redis(&redis_terms, config.audit_redis_prefix, state.audit_directory,
                         &means->options, &redis, &failure)
            != STATUS_OK) {
            return tell_without_copy(&spool, &failure);
        }
    }
    return status == STATUS_OK ? tell(&spool, given.checks_redis ? &redis : NULL)
                               : options_failed(&failure);
}

/* ---- a proof --------------------------------------------------------------------------------- */

static void print_proof(const struct proof_summary *summary, const struct verify_result *result)
{
    char from[RECORD_TIME_BYTES] = "the beginning", to[RECORD_TIME_BYTES];
    if (summary->from_unix_ms > 0) {
        record_write_time(summary->from_unix_ms, from);
    }
    record_write_time(summary->to_unix_ms, to);
    if (given.prints_json) {
        json_t *told = json_pack(
            "{s:b, s:I, s:o, s:s, s:I, s:I, s:I, s:I, s:s?, s:s}", "ok",
            result->kind == VERIFY_INTACT, "records", (json_int_t)result->records, "first_break",
            describe_break(result, false), "tenant", summary->tenant_name, "tenant_id",
            (json_int_t)summary->tenant.value, "first_number", (json_int_t)summary->first_number,
            "last_number", (json_int_t)summary->last_number, "erased", (json_int_t)summary->erased,
            "from", summary->from_unix_ms > 0 ? from : NULL, "to", to);
        print_json(told);
    } else if (result->kind == VERIFY_INTACT) {
        printf("proof\n  tenant   %s\n  records  %" PRIu64 " to %" PRIu64 " of its own; %" PRIu64
               " erased by age\n  between  %s and %s\n  result   complete and unchanged\n",
               summary->tenant_name, summary->first_number, summary->last_number, summary->erased,
               from, to);
    }
}

static int run_on_proof(struct means *means)
{
    struct failure failure = {""};
    struct state state;
    struct verify_result result = {0};
    struct proof_summary summary = {0};
    struct buffer bundle = {.limit_bytes = PROOF_BYTES_MAX};
    enum status status = STATUS_OK;
    if (!given.public_key) {
        status = state_find(&state, &failure);
        if (status == STATUS_OK) {
            status = directory_read_public_key(state.audit_directory, means->public_key, &failure);
        }
        if (status == STATUS_NOT_FOUND) {
            fail(&failure, status,
                 "--proof: give the signing.pub of the server that it is of with --public-key");
        }
    }
    if (status == STATUS_OK) {
        status = buffer_read_file(&bundle, given.proof);
        if (status != STATUS_OK) {
            fail(&failure, status, "%.200s: cannot be read: %s", given.proof, status_text(status));
        }
    }
    if (status == STATUS_OK) {
        status = proof_verify(bundle.bytes ? bundle.bytes : "", bundle.length, means->public_key,
                              &summary, &result, &failure);
    }
    buffer_destroy(&bundle);
    if (status != STATUS_OK) {
        return options_failed(&failure);
    }
    print_proof(&summary, &result);
    return tell_break("the proof", &result,
                      "do not rely on it: ask who gave it for a new one, and see that the public "
                      "key is that server's");
}

static int run(const char *word)
{
    (void)word;
    static struct means means;
    struct failure failure = {""};
    if (read_means(&means, &failure) != STATUS_OK) {
        return options_failed(&failure);
    }
    return given.proof ? run_on_proof(&means) : run_on_spool(&means);
}

const struct verb verb_verify = {
    .name = "verify",
    .usage = "ward audit verify [options]",
    .summary = "Checks that the records are whole and unchanged; says where they first are not.\n"
               "Exit 0: intact; 1: broken, or cannot be read. Works while a server writes.\n\n"
               "  ward audit verify --officer-key /media/key/officer.key --checkpoint kept\n"
               "  ward audit verify --redis -c ward.yaml --json\n"
               "  ward audit verify --proof november --public-key signing.pub",
    VERB_ROWS(rows),
    .check = check,
    .run = run,
};
