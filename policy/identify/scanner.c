/* At each lexeme the detectors of the table are asked once, and again only while they say "more"
 * and another lexeme has come: "no" and "yes" are for good. A resource wins at once, then the
 * longest finding. What the window is full of when a decision is forced depends on the text alone,
 * so the pieces do too. */
#include "policy/identify/scanner.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"

enum {
    ROWS_MAX = 16,
    CLASSES = LEXEME_GLYPH + 1,
    NAME_LETTERS_MIN = 3, /* of a word that is remembered */
    /* What the last byte fed may add to a full window is below this. */
    FOLDED_MAX = (WINDOW_OPEN + 64) * (LEXEME_FOLDED_MAX + 1),
};

struct scanner {
    const struct detectors_row *rows;
    struct detector_terms terms;
    struct memory *memory;
    struct memory own_memory;
    struct window *window;
    enum status status;        /* of the first call to `told` that did not go well */
    uint32_t rows_at[CLASSES]; /* who is asked at such a lexeme, a bit each */
    bool is_asked;             /* the next are about the first open lexeme */
    uint32_t open;             /* who said "more", a bit each */
    uint32_t seen;             /* how many open lexemes they saw */
    struct finding best;       /* the longest finding so far, and whose it is */
    uint32_t best_row;
    struct finding run;     /* the identifier whose last lexeme was cut: count > 0 */
    struct scan_piece text; /* lexemes that are not told yet */
    char folded[FOLDED_MAX];
};

static void read_rows(struct scanner *scanner)
{
    for (uint32_t i = 0; scanner->rows[i].detect; i++) {
        ASSERT(i < ROWS_MAX);
        for (uint32_t class = 0; class < CLASSES; class ++) {
            const bool is_asked = (scanner->rows[i].classes & DETECTORS_AT(class)) != 0;
            scanner->rows_at[class] |= (uint32_t)is_asked << i;
        }
    }
}

enum status scanner_create_with(const struct detectors_row *rows,
                                const struct detector_terms *terms, struct memory *memory,
                                struct scanner **out)
{
    struct scanner *scanner = calloc(1, sizeof *scanner);
    if (scanner) {
        scanner->rows = rows;
        scanner->terms = *terms;
        scanner->memory = memory ? memory : &scanner->own_memory;
        scanner->window = window_create(terms->lexicon);
        read_rows(scanner);
    }
    if (!scanner || !scanner->window) {
        free(scanner);
        return STATUS_IO;
    }
    *out = scanner;
    return STATUS_OK;
}

enum status scanner_create(const struct detector_terms *terms, struct memory *memory,
                           struct scanner **out)
{
    return scanner_create_with(detectors_table(), terms, memory, out);
}

void scanner_destroy(struct scanner *scanner)
{
    if (scanner) {
        window_destroy(scanner->window);
        explicit_bzero(scanner, sizeof *scanner);
    }
    free(scanner);
}

void scanner_reset(struct scanner *scanner)
{
    window_reset(scanner->window);
    explicit_bzero(&scanner->own_memory, sizeof scanner->own_memory);
    explicit_bzero(scanner->folded, sizeof scanner->folded);
    scanner->status = STATUS_OK;
    scanner->is_asked = false;
    scanner->run = (struct finding){0};
    scanner->text = (struct scan_piece){0};
}

size_t scanner_held_bytes(const struct scanner *scanner)
{
    return window_open_bytes(scanner->window);
}

/* ---- asking ---------------------------------------------------------------------------------- */

/* The longer one; of two the one that knows what it is, then the first of the table. */
static bool is_better(const struct scanner *scanner, const struct finding *one, uint32_t row)
{
    const struct finding *best = &scanner->best;
    const bool is_code = one->kind == POLICY_CODE;
    const bool was_code = best->kind == POLICY_CODE;
    if (one->count != best->count) {
        return one->count > best->count;
    }
    return is_code != was_code ? was_code : row < scanner->best_row;
}

/* One more answer of a row, which is "no" or "yes". */
static void take_answer(struct scanner *scanner, const struct reading *reading, uint32_t row,
                        const struct finding *answer)
{
    scanner->open &= ~(1U << row);
    if (answer->verdict != FINDING_YES) {
        return;
    }
    ASSERT(answer->count >= 1 && answer->count <= reading->view.count - reading->view.at);
    if (is_better(scanner, answer, row)) {
        scanner->best = *answer;
        scanner->best_row = row;
    }
}

/* Asks who said "more" before. The winner so far, of verdict MORE while one may still come. */
static struct finding ask(struct scanner *scanner, const struct reading *reading)
{
    const uint32_t seen = reading->view.count - reading->view.at;
    if (!scanner->is_asked) {
        scanner->open = scanner->rows_at[reading->view.lexemes[reading->view.at].class];
        scanner->best = (struct finding){.verdict = FINDING_NO};
    }
    const bool is_same = scanner->is_asked && scanner->seen == seen && !reading->has_ended;
    for (uint32_t rows = is_same ? 0 : scanner->open; rows != 0; rows &= rows - 1) {
        const uint32_t row = (uint32_t)__builtin_ctz(rows);
        const struct finding answer = scanner->rows[row].detect(reading);
        if (answer.verdict == FINDING_YES && answer.is_resource) {
            return answer;
        }
        if (answer.verdict != FINDING_MORE) {
            take_answer(scanner, reading, row, &answer);
        }
    }
    scanner->is_asked = true;
    scanner->seen = seen;
    struct finding best = scanner->best;
    best.verdict = scanner->open != 0 ? FINDING_MORE : best.verdict;
    return best;
}

static bool has_letters(const struct lexeme *lexeme)
{
    return lexeme->class == LEXEME_WORD || lexeme->class == LEXEME_MIXED
           || lexeme->class == LEXEME_NUMBER || lexeme->class == LEXEME_GLYPH;
}

/* No more may be waited for: who still does not know may have seen the start of an identifier. */
static struct finding close_doubt(const struct reading *reading, struct finding best)
{
    if (best.verdict != FINDING_MORE) {
        return best;
    }
    if (best.count > 0) {
        best.verdict = FINDING_YES;
        return best;
    }
    return has_letters(&reading->view.lexemes[reading->view.at])
               ? FINDING_IS(POLICY_CODE, 1)
               : (struct finding){.verdict = FINDING_NO};
}

static struct finding decide_alone(struct scanner *scanner, struct reading *reading)
{
    struct finding best = ask(scanner, reading);
    if (best.verdict != FINDING_MORE) {
        return best;
    }
    if (!reading->has_ended && !window_is_full(scanner->window)) {
        return best;
    }
    if (!reading->has_ended) {
        reading->has_ended = true;
        const struct finding forced = ask(scanner, reading);
        best = forced.verdict == FINDING_NO ? best : forced;
    }
    return close_doubt(reading, best);
}

/* A crisis resource inside of a finding ("Call Crisis Text Line" as a name) ends the text for it:
 * what stands in front is asked again without. */
static struct finding spare_resource(struct scanner *scanner, const struct reading *reading,
                                     const struct finding *best)
{
    struct reading inner = *reading;
    for (uint32_t ahead = 1; ahead < best->count; ahead++) {
        inner.view.at = reading->view.at + ahead;
        struct finding help = detect_resource(&inner);
        if (help.verdict == FINDING_MORE && !window_is_full(scanner->window)) {
            return help;
        }
        if (help.verdict == FINDING_MORE) {
            inner.has_ended = true;
            help = detect_resource(&inner);
        }
        if (help.verdict == FINDING_YES) {
            inner = *reading;
            inner.view.count = reading->view.at + ahead;
            inner.view.has_ended = true;
            inner.has_ended = true;
            scanner->is_asked = false;
            return close_doubt(&inner, ask(scanner, &inner));
        }
    }
    return *best;
}

/* What begins at the first open lexeme. MORE: the next bytes are needed to say. */
static struct finding decide(struct scanner *scanner, struct reading *reading)
{
    if (scanner->run.count > 0) {
        return scanner->run;
    }
    const struct finding best = decide_alone(scanner, reading);
    return best.verdict == FINDING_YES && !best.is_resource
               ? spare_resource(scanner, reading, &best)
               : best;
}

/* ---- telling --------------------------------------------------------------------------------- */

static void tell(struct scanner *scanner, const struct scan_piece *piece, scan_told told,
                 void *context)
{
    if (scanner->status == STATUS_OK) {
        scanner->status = told(context, piece);
    }
}

static void tell_text(struct scanner *scanner, scan_told told, void *context)
{
    if (scanner->text.end > scanner->text.start) {
        tell(scanner, &scanner->text, told, context);
    }
    scanner->text = (struct scan_piece){0};
}

static void add_text(struct scanner *scanner, const struct window_view *view)
{
    struct scan_piece *text = &scanner->text;
    size_t raw_bytes = 0;
    const char *raw = window_raw(scanner->window, view->at, view->at + 1, &raw_bytes);
    if (!text->raw) {
        text->raw = raw;
        text->start = view->lexemes[view->at].start;
    }
    text->raw_bytes += raw_bytes;
    text->end = view->lexemes[view->at].end;
}

static bool is_of_words(enum policy_kind kind)
{
    return kind == POLICY_NAME || kind == POLICY_CITY || kind == POLICY_STREET
           || kind == POLICY_DATE;
}

static size_t fold_finding(struct scanner *scanner, const struct window_view *view,
                           const struct finding *finding)
{
    size_t length = 0;
    for (uint32_t i = view->at; i < view->at + finding->count; i++) {
        const struct lexeme *lexeme = &view->lexemes[i];
        if (!has_letters(lexeme) || lexeme->is_invalid) {
            continue;
        }
        if (length > 0 && is_of_words(finding->kind) && lexeme->class != LEXEME_GLYPH) {
            scanner->folded[length++] = ' ';
        }
        ASSERT(length + lexeme->folded_bytes < FOLDED_MAX);
        memcpy(scanner->folded + length, lexeme_text(view, i), lexeme->folded_bytes);
        length += lexeme->folded_bytes;
    }
    return length;
}

static bool is_disguised(const struct window_view *view, const struct finding *finding)
{
    bool is_any = false;
    for (uint32_t i = view->at; i < view->at + finding->count; i++) {
        is_any = is_any || view->lexemes[i].is_disguised;
    }
    return is_any;
}

static bool is_memorable(const struct scanner *scanner, const struct lexeme *lexeme)
{
    if (lexeme->class != LEXEME_WORD || lexeme->folded_bytes < NAME_LETTERS_MIN) {
        return false;
    }
    if (lexeme->word == 0 || !scanner->terms.lexicon) {
        return true;
    }
    const struct lexicon_entry *entry = lexicon_entry(scanner->terms.lexicon, lexeme->word);
    return (entry->flags & (LEXICON_EPONYM | LEXICON_TERM)) == 0;
}

static void remember(struct scanner *scanner, const struct window_view *view,
                     const struct finding *finding)
{
    if (finding->kind != POLICY_NAME || finding->is_resource) {
        return;
    }
    for (uint32_t i = view->at; i < view->at + finding->count; i++) {
        if (is_memorable(scanner, &view->lexemes[i])) {
            memory_add(scanner->memory, lexeme_text(view, i), view->lexemes[i].folded_bytes);
        }
    }
}

static void tell_finding(struct scanner *scanner, const struct window_view *view,
                         const struct finding *finding, scan_told told, void *context)
{
    const uint32_t last = view->at + finding->count - 1;
    struct scan_piece piece = {
        .start = view->lexemes[view->at].start,
        .end = view->lexemes[last].end,
        .is_finding = true,
        .is_resource = finding->is_resource,
        .is_disguised = is_disguised(view, finding),
        .continues = scanner->run.count > 0,
        .kind = finding->kind,
        .folded = scanner->folded,
        .folded_bytes = fold_finding(scanner, view, finding),
    };
    piece.raw = window_raw(scanner->window, view->at, last + 1, &piece.raw_bytes);
    remember(scanner, view, finding);
    scanner->run = *finding;
    scanner->run.count = view->lexemes[last].is_cut ? 1 : 0;
    tell_text(scanner, told, context);
    tell(scanner, &piece, told, context);
}

/* False: nothing can be said before more bytes come. */
static bool step(struct scanner *scanner, scan_told told, void *context)
{
    struct reading reading = {
        .view = window_view(scanner->window), .terms = &scanner->terms, .memory = scanner->memory};
    reading.has_ended = reading.view.has_ended;
    if (reading.view.at == reading.view.count || scanner->status != STATUS_OK) {
        return false;
    }
    const struct finding finding = decide(scanner, &reading);
    if (finding.verdict == FINDING_MORE) {
        return false;
    }
    uint32_t count = 1;
    if (finding.verdict == FINDING_YES) {
        count = finding.count;
        tell_finding(scanner, &reading.view, &finding, told, context);
    } else {
        add_text(scanner, &reading.view);
    }
    for (uint32_t i = 0; i < count; i++) {
        window_release(scanner->window);
    }
    scanner->is_asked = false;
    return true;
}

static void advance(struct scanner *scanner, scan_told told, void *context)
{
    while (step(scanner, told, context)) {
    }
    tell_text(scanner, told, context);
}

enum status scanner_feed(struct scanner *scanner, const char *bytes, size_t length, scan_told told,
                         void *context)
{
    for (size_t at = 0; at < length && scanner->status == STATUS_OK;) {
        at += window_feed(scanner->window, bytes + at, length - at);
        advance(scanner, told, context);
    }
    return scanner->status;
}

enum status scanner_end(struct scanner *scanner, scan_told told, void *context)
{
    if (scanner->status == STATUS_OK) {
        window_end(scanner->window);
        advance(scanner, told, context);
    }
    return scanner->status;
}
