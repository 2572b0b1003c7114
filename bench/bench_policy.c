/* bench_policy.c - what the policy costs: MB/s of the scanner and of the filter of answers fed one
 * token at a time, its share of a core at 20,000 tokens/s, how many tokens it holds back, time on
 * hostile input as its length doubles, and that nothing is allocated for a token.
 *
 * A token is 4 bytes here, cut where it falls; a model's has 4.2 on average (English, vocabularies
 * of 32k to 128k), by which the share of a core is reckoned. Streams are of 2 KB, about an answer.
 * `bench_policy [FILE.jsonl...]`: their "text" fields; without one, English that stands here. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/assert.h"
#include "base/clock.h"
#include "policy/policy.h"

enum {
    TOKEN_BYTES = 4,
    TOKENS_PER_S = 20000,
    STREAM_BYTES = 2048, /* least */
    STREAMS_MAX = 65536,
    HELD_MAX = 4096, /* tokens */
    ROUNDS = 3,
    HOSTILE_BYTES = 1 << 14,
    DOUBLINGS = 3,
    OUT_BYTES_MAX = 64 << 20,
};
static const double MODEL_TOKEN_BYTES = 4.2;
static const double GROWTH_MAX = 1.5; /* of the time a byte takes, from n to 8 n */

/* ---- allocations ----------------------------------------------------------------------------- */

static uint64_t allocations;

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
/* NOLINTBEGIN(readability-identifier-naming,readability-inconsistent-declaration-parameter-name):
 * the C library's own */
extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);

void *malloc(size_t bytes)
{
    allocations++;
    return __libc_malloc(bytes);
}

void *calloc(size_t count, size_t bytes)
{
    allocations++;
    return __libc_calloc(count, bytes);
}

void *realloc(void *old, size_t bytes)
{
    allocations++;
    return __libc_realloc(old, bytes);
}
/* NOLINTEND(readability-identifier-naming,readability-inconsistent-declaration-parameter-name) */
#endif

/* ---- texts ----------------------------------------------------------------------------------- */

static const char *const english[] = {
    "That sounds exhausting, and it makes sense that you are worn out. When sleep is short for "
    "weeks, "
    "everything feels heavier than it is. Two things tend to help first: getting up at the same "
    "time "
    "every day, and keeping the bed for sleep alone. You could try both for a week and write down "
    "how "
    "you feel in the morning, from 0 to 10. ",
    "Sertraline is usually started at 25 or 50 mg a day and raised slowly. Most people notice a "
    "change "
    "after two to six weeks. Nausea and a dry mouth are common at the beginning and often pass. "
    "Please "
    "do not stop it from one day to the next; ask the person who prescribed it how to taper. ",
    "If the thoughts come back, or if you feel that you might act on them, call or text 988 at any "
    "time. In an emergency call 911. You do not have to explain everything; saying that you need "
    "help "
    "is enough. Is there someone who could stay with you tonight? ",
    "Grounding can be very plain. Name five things you can see, four you can touch, three you can "
    "hear, two you can smell and one you can taste. Breathe out longer than you breathe in. It "
    "will "
    "not solve what happened at work, but it gives your body a moment to come down. ",
};

struct stream {
    const char *text;
    size_t length;
};

static struct stream streams[STREAMS_MAX];
static size_t stream_count, stream_bytes;
static struct buffer texts = {.limit_bytes = 1 << 30};

static void add_text(const char *text, size_t length)
{
    ASSERT(buffer_append(&texts, text, length) == STATUS_OK);
    ASSERT(buffer_append(&texts, "\n", 1) == STATUS_OK);
}

static void add_file(const char *path)
{
    FILE *file = fopen(path, "re");
    if (!file) {
        fprintf(stderr, "bench_policy: %s: cannot be opened\n", path);
        exit(1);
    }
    char *line = NULL;
    size_t capacity = 0;
    for (ssize_t length; (length = getline(&line, &capacity, file)) > 0;) {
        json_t *row = json_loadb(line, (size_t)length, 0, NULL);
        const json_t *text = json_object_get(row, "text");
        if (json_is_string(text)) {
            add_text(json_string_value(text), json_string_length(text));
        }
        json_decref(row);
    }
    const bool is_read = ferror(file) == 0; /* a folder opens, too */
    free(line);
    fclose(file);
    if (!is_read || texts.length == 0) {
        fprintf(stderr, "bench_policy: %s: %s\n", path,
                is_read ? "no line is a JSON object with a \"text\"" : "cannot be read");
        exit(1);
    }
}

/* Cuts what was added into streams, at a line's end. */
static void cut_streams(void)
{
    stream_count = 0;
    stream_bytes = texts.length;
    for (size_t start = 0; start < texts.length && stream_count < STREAMS_MAX;) {
        size_t end = start + STREAM_BYTES < texts.length ? start + STREAM_BYTES : texts.length;
        while (end < texts.length && texts.bytes[end - 1] != '\n') {
            end++;
        }
        streams[stream_count++] = (struct stream){texts.bytes + start, end - start};
        start = end;
    }
}

/* ---- what is measured ------------------------------------------------------------------------ */

static struct lexicon *lexicon;
static struct rules *rules;
static struct vault *vault;
static struct vault_session *session;
static struct detector_terms terms;
static struct buffer out = {.limit_bytes = OUT_BYTES_MAX};

static void must(enum status status, const struct failure *failure)
{
    if (status != STATUS_OK) {
        fprintf(stderr, "bench_policy: %s: %s\n", status_text(status), failure->text);
        exit(1);
    }
}

static void open_policy(void)
{
    static const struct vault_config config = {
        .sessions_max = 16, .values_max = 256, .lifetime_s = 3600};
    static const struct tenant_id tenant = {1};
    struct failure failure = {""};
    must(lexicon_create(&lexicon), &failure);
    must(rules_shipped("standard", &rules, &failure), &failure);
    must(vault_create(&config, &vault), &failure);
    must(vault_open(vault, tenant, "", 0, clock_monotonic_ns(), &session), &failure);
    terms = rules->terms;
    terms.lexicon = lexicon;
}

static double cpu_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static enum status count_piece(void *context, const struct scan_piece *piece)
{
    *(size_t *)context += piece->is_finding && !piece->is_resource;
    return STATUS_OK;
}

/* One stream through a scanner, `step` bytes at a time; returns findings. */
static size_t scan_stream(struct scanner *scanner, const struct stream *stream, size_t step)
{
    size_t found = 0;
    scanner_reset(scanner);
    for (size_t at = 0; at < stream->length; at += step) {
        const size_t part = stream->length - at < step ? stream->length - at : step;
        ASSERT(scanner_feed(scanner, stream->text + at, part, count_piece, &found) == STATUS_OK);
    }
    ASSERT(scanner_end(scanner, count_piece, &found) == STATUS_OK);
    return found;
}

static struct outbound *open_outbound(void)
{
    const struct outbound_terms outbound_terms = {
        .rules = rules, .lexicon = lexicon, .vault = vault, .session = session, .tenant = {1}};
    struct outbound *outbound = NULL;
    ASSERT(outbound_create(&outbound_terms, &outbound) == STATUS_OK);
    return outbound;
}

/* Tokens that have come and of which not every byte is decided, after each; NULL: not counted. */
static void filter_stream(struct outbound *outbound, const struct stream *stream, uint64_t *held)
{
    buffer_clear(&out);
    for (size_t at = 0; at < stream->length; at += TOKEN_BYTES) {
        const size_t left = stream->length - at;
        const size_t part = left < TOKEN_BYTES ? left : TOKEN_BYTES;
        ASSERT(outbound_feed(outbound, stream->text + at, part, &out) == STATUS_OK);
        if (held) {
            const uint64_t open = at + part - outbound_decided(outbound);
            const uint64_t tokens = (open + TOKEN_BYTES - 1) / TOKEN_BYTES;
            held[tokens < HELD_MAX ? tokens : HELD_MAX - 1]++;
        }
    }
    ASSERT(outbound_end(outbound, &out) == STATUS_OK);
}

/* ---- speed ----------------------------------------------------------------------------------- */

/* CPU seconds for all streams once: the least of the rounds. */
static double scan_all(size_t step, size_t *found)
{
    struct scanner *scanner = NULL;
    ASSERT(scanner_create(&terms, NULL, &scanner) == STATUS_OK);
    double least = 0;
    for (int round = 0; round < ROUNDS; round++) {
        *found = 0;
        const double start = cpu_seconds();
        for (size_t i = 0; i < stream_count; i++) {
            *found += scan_stream(scanner, &streams[i], step);
        }
        const double seconds = cpu_seconds() - start;
        least = round == 0 || seconds < least ? seconds : least;
    }
    scanner_destroy(scanner);
    return least;
}

/* Without create and destroy, whose seconds go to *create_s. */
static double filter_all(double *create_s)
{
    double least = 0;
    for (int round = 0; round < ROUNDS; round++) {
        double seconds = 0;
        const double start = cpu_seconds();
        for (size_t i = 0; i < stream_count; i++) {
            struct outbound *outbound = open_outbound();
            const double before = cpu_seconds();
            filter_stream(outbound, &streams[i], NULL);
            seconds += cpu_seconds() - before;
            outbound_destroy(outbound);
        }
        *create_s = cpu_seconds() - start - seconds;
        least = round == 0 || seconds < least ? seconds : least;
    }
    return least;
}

static void bench_speed(void)
{
    size_t found, found_cut;
    double create_s;
    const double megabytes = (double)stream_bytes / 1e6;
    const double whole_s = scan_all(STREAM_BYTES, &found);
    const double cut_s = scan_all(TOKEN_BYTES, &found_cut);
    ASSERT(found == found_cut);
    const double filter_s = filter_all(&create_s);
    const double core = TOKENS_PER_S * MODEL_TOKEN_BYTES / 1e6 * filter_s / megabytes * 100;
    printf("  scanner, whole           %8.2f MB/s, %zu identifiers\n", megabytes / whole_s, found);
    printf("  scanner, %d bytes a time  %8.2f MB/s\n", TOKEN_BYTES, megabytes / cut_s);
    printf("  answers, %d bytes a time  %8.2f MB/s, %.0f ns a token\n", TOKEN_BYTES,
           megabytes / filter_s, filter_s * 1e9 / ((double)stream_bytes / TOKEN_BYTES));
    printf("  at %d tokens/s of %.1f bytes: %.2f %% of a core (bar 1)\n", TOKENS_PER_S,
           MODEL_TOKEN_BYTES, core);
    printf("  one filter made, reset and freed: %.1f us\n", create_s * 1e6 / (double)stream_count);
}

static void bench_held(void)
{
    static uint64_t held[HELD_MAX];
    memset(held, 0, sizeof held);
    for (size_t i = 0; i < stream_count; i++) {
        struct outbound *outbound = open_outbound();
        filter_stream(outbound, &streams[i], held);
        outbound_destroy(outbound);
    }
    uint64_t count = 0, sum = 0, below = 0, most = 0;
    for (uint64_t i = 0; i < HELD_MAX; i++) {
        count += held[i];
        sum += i * held[i];
        most = held[i] > 0 ? i : most;
    }
    uint64_t p99 = 0;
    while (below + held[p99] < (count * 99 + 99) / 100) {
        below += held[p99++];
    }
    printf("  held back                %8.2f tokens on average (bar 1.5), p99 %llu (bar 6), most "
           "%llu\n",
           (double)sum / (double)count, (unsigned long long)p99, (unsigned long long)most);
}

/* Everything was warm: buffers have their size. */
static void bench_allocations(void)
{
    struct scanner *scanner = NULL;
    ASSERT(scanner_create(&terms, NULL, &scanner) == STATUS_OK);
    uint64_t counted = 0;
    for (size_t i = 0; i < stream_count; i++) {
        struct outbound *outbound = open_outbound();
        const uint64_t before = allocations;
        filter_stream(outbound, &streams[i], NULL);
        scan_stream(scanner, &streams[i], TOKEN_BYTES);
        counted += allocations - before;
        outbound_destroy(outbound);
    }
    scanner_destroy(scanner);
    printf("  allocations after create %8llu in %zu tokens (bar 0)\n", (unsigned long long)counted,
           stream_bytes / TOKEN_BYTES);
    ASSERT(counted == 0);
}

/* ---- hostile --------------------------------------------------------------------------------- */

static const char *const hostile[] = {
    "a",
    "7",
    "1 2 3 ",
    "Aa ",
    "@",
    "http://a",
    "(((",
    "[NAME_",
    "QWxhZGRpbjpvcGVuIHNlc2FtZQ",
    "\xE2\x80\x8B",
    "JOHN SMITH ",
    "january ",
    "Mr. ",
    "a.b@",
    "1-",
    "\\u0031",
};
enum { HOSTILE_COUNT = sizeof hostile / sizeof hostile[0] };

/* ns a byte, the least of rounds. */
static double time_hostile(const struct stream *stream, bool is_outbound)
{
    struct scanner *scanner = NULL;
    ASSERT(scanner_create(&terms, NULL, &scanner) == STATUS_OK);
    double least = 0;
    for (int round = 0; round < ROUNDS; round++) {
        struct outbound *outbound = open_outbound();
        const double start = cpu_seconds();
        if (is_outbound) {
            filter_stream(outbound, stream, NULL);
        } else {
            scan_stream(scanner, stream, stream->length);
        }
        const double seconds = cpu_seconds() - start;
        least = round == 0 || seconds < least ? seconds : least;
        outbound_destroy(outbound);
    }
    scanner_destroy(scanner);
    return least * 1e9 / (double)stream->length;
}

static bool bench_one_hostile(const char *name, const char *bytes, bool is_outbound)
{
    double ns[DOUBLINGS + 1];
    printf("  %-8s %-28s", is_outbound ? "answers" : "scanner", name);
    for (int i = 0; i <= DOUBLINGS; i++) {
        ns[i] = time_hostile(&(struct stream){bytes, (size_t)HOSTILE_BYTES << i}, is_outbound);
        printf(" %7.1f", ns[i]);
    }
    const double growth = ns[DOUBLINGS] / ns[0];
    printf("   x %.2f%s\n", growth, growth > GROWTH_MAX ? "  NOT LINEAR" : "");
    return growth <= GROWTH_MAX;
}

static bool bench_hostile(void)
{
    const size_t length = (size_t)HOSTILE_BYTES << DOUBLINGS;
    char *bytes = malloc(length);
    ASSERT(bytes);
    bool is_linear = true;
    printf("hostile, ns a byte at 16, 32, 64, 128 KiB, and their growth\n");
    for (size_t i = 0; i < HOSTILE_COUNT; i++) {
        const size_t period = strlen(hostile[i]);
        for (size_t k = 0; k < length; k++) {
            bytes[k] = hostile[i][k % period];
        }
        const char *name = hostile[i][0] == '\xE2' ? "(zero-width)" : hostile[i];
        is_linear &= bench_one_hostile(name, bytes, false);
        is_linear &= bench_one_hostile(name, bytes, true);
    }
    free(bytes);
    return is_linear;
}

/* ---- all ------------------------------------------------------------------------------------- */

static void bench_texts(const char *name)
{
    cut_streams();
    printf("%s: %.2f MB in %zu streams\n", name, (double)stream_bytes / 1e6, stream_count);
    bench_speed();
    bench_held();
    bench_allocations();
    buffer_clear(&texts);
}

int main(int argc, char **argv)
{
    open_policy();
    for (int i = 0; i < 200; i++) {
        add_text(english[i % 4], strlen(english[i % 4]));
    }
    bench_texts("English");
    for (int i = 1; i < argc; i++) {
        add_file(argv[i]);
        bench_texts(argv[i]);
    }
    const bool is_linear = bench_hostile();
    vault_close(session, clock_monotonic_ns());
    vault_destroy(vault);
    rules_release(rules);
    lexicon_destroy(lexicon);
    buffer_destroy(&out);
    buffer_destroy(&texts);
    return is_linear ? 0 : 1;
}
