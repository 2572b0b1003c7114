/* Characters become a run, which is closed into one or more lexemes by the first character that
 * does not belong to it. What was read is a function of the bytes alone: escapes are held in
 * `pending` until they are whole or cannot be one. The three arrays hold what the left context and
 * the open lexemes need and are moved to their start when they run out: once in hundreds of
 * lexemes. */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "policy/text/escape.h"
#include "policy/text/fold.h"
#include "policy/text/lexeme.h"
#include "policy/text/lexicon.h"
#include "policy/text/word_hash.h"

enum {
    LEXEMES = 640,
    FOLDED_BYTES = 32768,
    RAW_BYTES = 2 * WINDOW_RAW,
    HIDDEN_RAW_MAX = 256, /* of one lexeme; what is hidden beyond it is dropped */
    RUN_RAW_MAX = LEXEME_RAW_MAX - ESCAPE_BYTES_MAX,
    OPEN_RAW_MAX = WINDOW_RAW - LEXEME_RAW_MAX, /* a window with so many is full */
    /* What the bytes of one whole `pending` may add at most. */
    LEXEMES_SPARE = 4 * ESCAPE_BYTES_MAX,
    BYTES_SPARE = FOLD_TEXT_MAX * ESCAPE_BYTES_MAX + LEXEME_FOLDED_MAX,
};

_Static_assert(LEXEMES > 2 * (WINDOW_LEFT + WINDOW_OPEN), "moved seldom");
_Static_assert(FOLDED_BYTES > (WINDOW_LEFT + WINDOW_OPEN + LEXEMES_SPARE) * LEXEME_FOLDED_MAX
                                  + 8 * BYTES_SPARE,
               "the left context and the open lexemes fit");
_Static_assert(HIDDEN_RAW_MAX + 2 * ESCAPE_BYTES_MAX < RUN_RAW_MAX, "a run can begin");

/* Where a character begins: in the text and in the raw bytes. */
struct place {
    uint64_t text;
    uint32_t raw;
};

struct letters {
    uint16_t upper, lower;
    bool is_first_upper;
};

/* What is read of the lexeme that comes next. Its folded text is the end of window.folded. */
struct run {
    bool has_raw;    /* something, if only hidden characters, belongs to it */
    bool has_letter; /* a run: letters and digits */
    bool has_digit;
    bool has_ascii;
    bool is_last_letter;
    bool is_disguised;
    bool has_apostrophe; /* as the last folded byte: inside a word if a letter follows */
    bool has_joined;     /* an apostrophe stands inside */
    uint16_t hidden_bytes;
    struct letters letters, joined_letters; /* the latter: in front of the last inner apostrophe */
    struct place apostrophe;                /* the last one */
    struct place joined, joined_end;        /* the last one inside */
    uint32_t lookalike_count; /* of the next; they are the last, as they are not cleared */
    struct {
        uint8_t at, bytes;
        char latin;
    } lookalikes[LEXEME_FOLDED_MAX];
};

struct window {
    const struct lexicon *lexicon;
    uint32_t first, at, count; /* lexemes: first of the left context, first open, end */
    bool has_ended;
    uint8_t pending_bytes;
    char pending[ESCAPE_BYTES_MAX];
    uint64_t position;     /* of the text: up to here characters were read */
    uint32_t folded_start; /* of the run */
    uint32_t folded_bytes, raw_bytes;
    struct run run;
    struct lexeme lexemes[LEXEMES];
    uint32_t raw_at[LEXEMES + 1]; /* of open lexemes; [count]: of the run */
    char folded[FOLDED_BYTES];
    char raw[RAW_BYTES];
};

struct window *window_create(const struct lexicon *lexicon)
{
    struct window *window = calloc(1, sizeof *window);
    if (window) {
        window->lexicon = lexicon;
    }
    return window;
}

void window_destroy(struct window *window)
{
    if (window) {
        explicit_bzero(window, sizeof *window);
    }
    free(window);
}

void window_reset(struct window *window)
{
    const struct lexicon *lexicon = window->lexicon;
    explicit_bzero(window, sizeof *window);
    window->lexicon = lexicon;
}

/* ---- lexemes --------------------------------------------------------------------------------- */

static struct place here(const struct window *window)
{
    return (struct place){.text = window->position, .raw = window->raw_bytes};
}

static enum lexeme_case case_of(struct letters letters)
{
    if (letters.upper == 0) {
        return letters.lower == 0 ? CASE_NONE : CASE_LOWER;
    }
    if (letters.lower == 0) {
        return CASE_UPPER;
    }
    return letters.is_first_upper && letters.upper == 1 ? CASE_CAPITAL : CASE_MIXED;
}

static char mark_of(enum lexeme_class class, const char *text, uint32_t bytes)
{
    if (class == LEXEME_SPACE) {
        return ' ';
    }
    if (class == LEXEME_BREAK) {
        return '\n';
    }
    return (char)(class == LEXEME_MARK && bytes == 1 ? *text : 0);
}

/* The lexeme from the end of the last one up to `end`, with the next `folded_bytes` of the run. */
static struct lexeme *add(struct window *window, enum lexeme_class class, uint32_t folded_bytes,
                          struct place end)
{
    ASSERT(window->count < LEXEMES && folded_bytes <= LEXEME_FOLDED_MAX);
    struct lexeme *lexeme = &window->lexemes[window->count];
    const char *text = window->folded + window->folded_start;
    *lexeme = (struct lexeme){
        .start = window->count > 0 ? lexeme[-1].end : 0,
        .end = end.text,
        .folded = window->folded_start,
        .folded_bytes = (uint8_t)folded_bytes,
        .class = (uint8_t) class,
        .is_disguised = window->run.is_disguised,
        .mark = mark_of(class, text, folded_bytes),
    };
    window->folded_start += folded_bytes;
    window->count++;
    window->raw_at[window->count] = end.raw;
    return lexeme;
}

static void add_apostrophe(struct window *window, struct place end)
{
    add(window, LEXEME_MARK, 1, end)->hash = (uint32_t)word_hash("'", 1);
}

static void add_word(struct window *window, uint32_t folded_bytes, struct place end,
                     struct letters letters)
{
    const struct run *run = &window->run;
    const enum lexeme_class class = !run->has_digit   ? LEXEME_WORD
                                    : run->has_letter ? LEXEME_MIXED
                                                      : LEXEME_NUMBER;
    const uint64_t hash = word_hash(window->folded + window->folded_start, folded_bytes);
    struct lexeme *lexeme = add(window, class, folded_bytes, end);
    lexeme->hash = (uint32_t)hash;
    lexeme->letter_case = (uint8_t)case_of(letters);
    if (window->lexicon && class != LEXEME_NUMBER) {
        lexeme->word = lexicon_find_hash(window->lexicon, hash);
    }
}

/* ---- runs ------------------------------------------------------------------------------------ */

/* Letters of another script are read as Latin where Latin letters or digits stand beside them. */
static void read_lookalikes(struct window *window)
{
    struct run *run = &window->run;
    char *text = window->folded + window->folded_start;
    const uint32_t bytes = window->folded_bytes - window->folded_start;
    uint32_t from = 0;
    uint32_t to = 0;
    for (uint32_t i = 0; i < run->lookalike_count; i++) {
        const uint32_t same = run->lookalikes[i].at - from;
        memmove(text + to, text + from, same);
        to += same;
        text[to++] = run->lookalikes[i].latin;
        from = (uint32_t)run->lookalikes[i].at + run->lookalikes[i].bytes;
    }
    memmove(text + to, text + from, bytes - from);
    window->folded_bytes -= from - to;
    run->is_disguised = true;
}

/* John's is John, ' and s. */
static void add_genitive(struct window *window, uint32_t folded_bytes, struct place end)
{
    const struct run run = window->run;
    const struct letters letters = {.upper = run.letters.upper - run.joined_letters.upper,
                                    .lower = run.letters.lower - run.joined_letters.lower,
                                    .is_first_upper = true};
    add_word(window, folded_bytes - 2, run.joined, run.joined_letters);
    add_apostrophe(window, run.joined_end);
    window->run.has_digit = false;
    add_word(window, 1, end, letters);
}

static void clear_run(struct run *run)
{
    memset(run, 0, offsetof(struct run, lookalikes));
}

/* Ends the run: it becomes lexemes. Hidden characters alone are a glyph without a text. */
static void close_run(struct window *window, bool is_cut)
{
    struct run *run = &window->run;
    if (!run->has_raw) {
        return;
    }
    if (!run->has_letter && !run->has_digit) {
        add(window, LEXEME_GLYPH, 0, here(window));
        clear_run(run);
        return;
    }
    if (run->lookalike_count > 0 && run->has_ascii) {
        read_lookalikes(window);
    }
    const uint32_t bytes = window->folded_bytes - window->folded_start - run->has_apostrophe;
    const char *text = window->folded + window->folded_start;
    const bool is_genitive = run->has_joined && bytes > 2 && memcmp(text + bytes - 2, "'s", 2) == 0;
    const struct place end = run->has_apostrophe ? run->apostrophe : here(window);
    if (is_genitive) {
        add_genitive(window, bytes, end);
    } else {
        add_word(window, bytes, end, run->letters);
    }
    window->lexemes[window->count - 1].is_cut = is_cut && !run->has_apostrophe;
    if (run->has_apostrophe) {
        add_apostrophe(window, here(window));
    }
    clear_run(run);
}

/* ---- characters ------------------------------------------------------------------------------ */

struct character {
    struct folded folded;
    const char *raw;
    uint32_t raw_bytes, bytes; /* told, and taken of the text */
    bool is_invalid;
};

static void take_raw(struct window *window, const struct character *character)
{
    for (uint32_t i = 0; i < character->raw_bytes; i++) { /* mostly one */
        window->raw[window->raw_bytes + i] = character->raw[i];
    }
    window->raw_bytes += character->raw_bytes;
    window->position += character->bytes;
    window->run.has_raw = true;
}

static void take_folded(struct window *window, const struct folded *folded)
{
    for (uint32_t i = 0; i < folded->bytes; i++) {
        window->folded[window->folded_bytes + i] = folded->text[i];
    }
    window->folded_bytes += folded->bytes;
    window->run.is_disguised = window->run.is_disguised || folded->is_disguised;
}

/* Joiners and selectors behind an emoji are part of how it looks. */
static bool is_of_glyph(const struct window *window)
{
    return !window->run.has_letter && !window->run.has_digit && window->count > 0
           && window->lexemes[window->count - 1].class == LEXEME_GLYPH;
}

static bool fits(const struct window *window, const struct character *character)
{
    const uint32_t folded_bytes = window->folded_bytes - window->folded_start;
    const uint32_t raw_bytes = window->raw_bytes - window->raw_at[window->count];
    return folded_bytes + character->folded.bytes <= LEXEME_FOLDED_MAX
           && raw_bytes + character->raw_bytes <= RUN_RAW_MAX;
}

static void take_hidden(struct window *window, const struct character *character)
{
    struct run *run = &window->run;
    run->is_disguised =
        run->is_disguised || (character->folded.is_disguised && !is_of_glyph(window));
    if (run->hidden_bytes + character->raw_bytes > HIDDEN_RAW_MAX || !fits(window, character)) {
        window->position += character->bytes;
        return;
    }
    run->hidden_bytes = (uint16_t)(run->hidden_bytes + character->raw_bytes);
    take_raw(window, character);
}

static void count_letter(struct run *run, const struct folded *folded)
{
    struct letters *letters = &run->letters;
    letters->is_first_upper =
        letters->upper + letters->lower > 0 ? letters->is_first_upper : folded->is_upper;
    letters->upper = (uint16_t)(letters->upper + folded->is_upper);
    letters->lower = (uint16_t)(letters->lower + folded->is_lower);
}

static void note_lookalike(struct window *window, const struct folded *folded)
{
    struct run *run = &window->run;
    const uint32_t at = window->folded_bytes - window->folded_start;
    run->lookalikes[run->lookalike_count].at = (uint8_t)at;
    run->lookalikes[run->lookalike_count].bytes = folded->bytes;
    run->lookalikes[run->lookalike_count].latin = folded->latin;
    run->lookalike_count++;
}

static void take_letter_or_digit(struct window *window, const struct character *character)
{
    const struct folded *folded = &character->folded;
    struct run *run = &window->run;
    const bool is_letter = folded->class == FOLD_LETTER;
    const bool joins = run->has_apostrophe && is_letter;
    if ((run->has_apostrophe && !joins) || !fits(window, character)) {
        close_run(window, true);
    } else if (joins) {
        run->has_joined = true;
        run->has_apostrophe = false;
        run->joined_letters = run->letters;
        run->joined = run->apostrophe;
        run->joined_end = here(window);
    }
    if (folded->latin) {
        note_lookalike(window, folded);
    }
    if (is_letter) {
        count_letter(run, folded);
    }
    run->has_ascii = run->has_ascii || (uint8_t)folded->text[0] < 0x80;
    run->has_letter = run->has_letter || is_letter;
    run->has_digit = run->has_digit || !is_letter;
    run->is_last_letter = is_letter;
    take_raw(window, character);
    take_folded(window, folded);
}

static bool begins_apostrophe(const struct window *window, const struct character *character)
{
    const struct run *run = &window->run;
    return run->is_last_letter && !run->has_apostrophe && character->folded.text[0] == '\''
           && fits(window, character);
}

/* A lexeme of one character; what is hidden in front of it is part of it. */
static void take_single(struct window *window, const struct character *character,
                        enum lexeme_class class)
{
    if (window->run.has_letter || window->run.has_digit) {
        close_run(window, false);
    }
    take_raw(window, character);
    take_folded(window, &character->folded);
    const uint64_t hash = word_hash(window->folded + window->folded_start, character->folded.bytes);
    struct lexeme *lexeme = add(window, class, character->folded.bytes, here(window));
    lexeme->hash = (uint32_t)hash;
    lexeme->is_invalid = character->is_invalid;
    clear_run(&window->run);
}

static void take_mark(struct window *window, const struct character *character)
{
    struct run *run = &window->run;
    if (!begins_apostrophe(window, character)) {
        take_single(window, character, LEXEME_MARK);
        return;
    }
    run->has_apostrophe = true;
    run->apostrophe = here(window);
    take_raw(window, character);
    take_folded(window, &character->folded);
}

static void take(struct window *window, const struct character *character)
{
    switch ((enum fold_class)character->folded.class) {
    case FOLD_HIDDEN:
    case FOLD_ATTACHED:
        take_hidden(window, character);
        break;
    case FOLD_LETTER:
    case FOLD_DIGIT:
        take_letter_or_digit(window, character);
        break;
    case FOLD_MARK:
        take_mark(window, character);
        break;
    case FOLD_SPACE:
        take_single(window, character, LEXEME_SPACE);
        break;
    case FOLD_BREAK:
        take_single(window, character, LEXEME_BREAK);
        break;
    case FOLD_GLYPH:
    default:
        take_single(window, character, LEXEME_GLYPH);
        break;
    }
}

/* ---- bytes ----------------------------------------------------------------------------------- */

/* Reads what is pending as far as it is sure. */
static void take_pending(struct window *window, bool has_ended)
{
    struct escape_character read;
    while (window->pending_bytes > 0
           && escape_read(window->pending, window->pending_bytes, has_ended, &read)) {
        struct character character = {.raw = window->pending,
                                      .raw_bytes = read.bytes,
                                      .bytes = read.bytes,
                                      .is_invalid = read.is_invalid};
        fold_character(read.code_point, &character.folded);
        character.folded.is_disguised = character.folded.is_disguised || read.is_disguised;
        if (read.is_invalid) {
            character.raw = "\xef\xbf\xbd";
            character.raw_bytes = 3;
            character.folded.class = FOLD_GLYPH;
        }
        take(window, &character);
        window->pending_bytes = (uint8_t)(window->pending_bytes - read.bytes);
        memmove(window->pending, window->pending + read.bytes, window->pending_bytes);
    }
}

static bool is_plain(char byte)
{
    return (uint8_t)byte < 0x80 && byte != '\\' && byte != '&' && byte != '%' && byte != '\r';
}

static bool is_ascii_letter(char byte)
{
    const uint8_t lower = (uint8_t)byte | 0x20;
    return lower >= 'a' && lower <= 'z';
}

/* A word begins with an ASCII letter, which is not yet taken. */
static bool begin_word(struct window *window, char first)
{
    struct run *run = &window->run;
    if (run->has_raw || window->pending_bytes > 0) {
        return false;
    }
    run->has_raw = true;
    run->has_letter = true;
    run->is_last_letter = true;
    run->letters.is_first_upper = (first & 0x20) == 0;
    return true;
}

/* ASCII letters that begin a word or go on in it, which is most of what comes: as take() would, one
 * by one, at a fraction of its cost. */
static size_t take_letters(struct window *window, const char *bytes, size_t length)
{
    struct letters *letters = &window->run.letters;
    if (!is_ascii_letter(bytes[0])) {
        return 0;
    }
    const bool begins = begin_word(window, bytes[0]);
    const uint32_t folded_bytes = window->folded_bytes - window->folded_start;
    const uint32_t raw_bytes = window->raw_bytes - window->raw_at[window->count];
    if (!window->run.is_last_letter || window->run.has_apostrophe || window->pending_bytes > 0
        || (letters->upper + letters->lower == 0 && !begins)
        || raw_bytes > RUN_RAW_MAX - LEXEME_FOLDED_MAX) {
        return 0;
    }
    const size_t fitting = LEXEME_FOLDED_MAX - folded_bytes;
    const size_t open = OPEN_RAW_MAX - (window->raw_bytes - window->raw_at[window->at]);
    const size_t room = fitting < open ? fitting : open;
    const size_t end = length < room ? length : room;
    size_t taken = 0;
    uint32_t upper = 0;
    for (; taken < end; taken++) {
        const char lower = (char)(bytes[taken] | 0x20);
        if (!is_ascii_letter(lower)) {
            break;
        }
        upper += lower != bytes[taken];
        window->folded[window->folded_bytes + taken] = lower;
        window->raw[window->raw_bytes + taken] = bytes[taken];
    }
    letters->upper = (uint16_t)(letters->upper + upper);
    letters->lower = (uint16_t)(letters->lower + taken - upper);
    window->run.has_ascii = window->run.has_ascii || taken > 0;
    window->folded_bytes += (uint32_t)taken;
    window->raw_bytes += (uint32_t)taken;
    window->position += taken;
    return taken;
}

static void take_byte(struct window *window, const char *byte)
{
    if (window->pending_bytes == 0 && is_plain(*byte)) {
        struct character character = {.raw = byte, .raw_bytes = 1, .bytes = 1};
        fold_character((uint8_t)*byte, &character.folded);
        take(window, &character);
        return;
    }
    ASSERT(window->pending_bytes < ESCAPE_BYTES_MAX);
    window->pending[window->pending_bytes++] = *byte;
    take_pending(window, false);
}

/* Moves what is still needed to the start of the arrays. */
static void compact(struct window *window)
{
    const uint32_t kept = window->count - window->first;
    const uint32_t folded = kept > 0 ? window->lexemes[window->first].folded : window->folded_start;
    const uint32_t raw = window->raw_at[window->at];
    memmove(window->lexemes, window->lexemes + window->first, kept * sizeof *window->lexemes);
    memmove(window->raw_at, window->raw_at + window->first, (kept + 1) * sizeof *window->raw_at);
    memmove(window->folded, window->folded + folded, window->folded_bytes - folded);
    memmove(window->raw, window->raw + raw, window->raw_bytes - raw);
    window->at -= window->first;
    window->count = kept;
    window->first = 0;
    for (uint32_t i = 0; i < kept; i++) {
        window->lexemes[i].folded -= folded;
    }
    for (uint32_t i = 0; i <= kept; i++) {
        window->raw_at[i] = i < window->at ? 0 : window->raw_at[i] - raw;
    }
    window->folded_start -= folded;
    window->folded_bytes -= folded;
    window->raw_bytes -= raw;
    window->run.apostrophe.raw -= raw; /* means nothing where there is none */
    window->run.joined.raw -= raw;
    window->run.joined_end.raw -= raw;
}

static void make_room(struct window *window)
{
    if (window->count + LEXEMES_SPARE > LEXEMES || window->raw_bytes + BYTES_SPARE > RAW_BYTES
        || window->folded_bytes + BYTES_SPARE > FOLDED_BYTES) {
        compact(window);
    }
}

bool window_is_full(const struct window *window)
{
    return window->count - window->at >= WINDOW_OPEN
           || window->raw_bytes - window->raw_at[window->at] >= OPEN_RAW_MAX;
}

size_t window_feed(struct window *window, const char *bytes, size_t length)
{
    ASSERT(!window->has_ended);
    size_t taken = 0;
    while (taken < length && !window_is_full(window)) {
        make_room(window);
        const size_t letters = take_letters(window, bytes + taken, length - taken);
        if (letters == 0) {
            take_byte(window, bytes + taken);
        }
        taken += letters > 0 ? letters : 1;
    }
    return taken;
}

void window_end(struct window *window)
{
    make_room(window);
    take_pending(window, true);
    close_run(window, false);
    window->has_ended = true;
}

void window_release(struct window *window)
{
    ASSERT(window->at < window->count);
    window->at++;
    if (window->at - window->first > WINDOW_LEFT) {
        window->first = window->at - WINDOW_LEFT;
    }
}

/* ---- looking --------------------------------------------------------------------------------- */

struct window_view window_view(const struct window *window)
{
    return (struct window_view){
        .lexemes = window->lexemes + window->first,
        .at = window->at - window->first,
        .count = window->count - window->first,
        .has_ended = window->has_ended,
        .folded = window->folded,
    };
}

const char *window_raw(const struct window *window, uint32_t first, uint32_t last, size_t *length)
{
    ASSERT(first >= window->at - window->first && first <= last);
    ASSERT(last <= window->count - window->first);
    const uint32_t start = window->raw_at[window->first + first];
    *length = window->raw_at[window->first + last] - start;
    return window->raw + start;
}

size_t window_open_bytes(const struct window *window)
{
    return window->raw_bytes - window->raw_at[window->at] + window->pending_bytes;
}
