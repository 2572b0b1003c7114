/* crisis_reader.c - bytes to words to sentences: apostrophes out ("don't" is dont), letters that
 * stand apart or behind signs put together ("k i l l", "su!cide"), sentences ended. */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "policy/crisis/judge.h"
#include "policy/text/lexeme.h"

enum { LETTERS_MAX = 32, TEXT_MAX = 2 * LEXEME_FOLDED_MAX };

/* Single letters in a row, which may be a word spelled out. */
struct letters {
    char text[LETTERS_MAX];
    uint64_t starts[LETTERS_MAX], end;
    uint32_t count;
    char mark; /* behind the last one: "s.u.i"; 0: none */
};

struct crisis_reader {
    const struct crisis_rules *rules;
    const struct word_book *vocabulary;
    struct window *window;
    struct sentence sentence;
    struct judge judge;
    struct letters letters;
    char text[TEXT_MAX]; /* the last word, as it was written */
    uint32_t text_bytes;
    bool touches;    /* nothing stands behind the last word but `glue` */
    char glue;       /* the one mark behind it; 0: none */
    char lead;       /* a mark right before what comes: "$uicide" */
    char last_mark;  /* right before what comes; 0: none */
    char end_mark;   /* the sentence ends unless the next letter touches */
    uint32_t breaks; /* line ends since the last word */
    bool has_pause, is_in_quotes;
};

enum status crisis_reader_create(const struct crisis_rules *rules, struct crisis_reader **out)
{
    struct crisis_reader *reader = calloc(1, sizeof *reader);
    *out = NULL;
    if (!reader) {
        return STATUS_IO;
    }
    reader->rules = rules;
    reader->judge.rules = rules;
    reader->vocabulary = grammar_vocabulary(rules->grammar);
    reader->window = window_create(NULL);
    if (!reader->window
        || sentence_create(&reader->sentence, reader->vocabulary,
                           grammar_phrase_count(rules->grammar),
                           grammar_pattern_count(rules->grammar))
               != STATUS_OK) {
        crisis_reader_destroy(reader);
        return STATUS_IO;
    }
    *out = reader;
    return STATUS_OK;
}

void crisis_reader_destroy(struct crisis_reader *reader)
{
    if (reader) {
        window_destroy(reader->window);
        sentence_destroy(&reader->sentence);
        sodium_memzero(reader, sizeof *reader);
        free(reader);
    }
}

/* ---- sentences ------------------------------------------------------------------------------- */

static void end_sentence(struct crisis_reader *reader)
{
    reader->sentence.is_question = reader->end_mark == '?';
    judge_sentence(&reader->judge, &reader->sentence);
    sentence_clear(&reader->sentence);
    reader->end_mark = 0;
    reader->has_pause = false;
    reader->text_bytes = 0;
    reader->touches = false;
    reader->glue = 0;
}

static void push(struct crisis_reader *reader, uint32_t entry, uint64_t start, uint64_t end)
{
    const struct sentence_word word = {start, end, entry};
    if (reader->sentence.count == SENTENCE_WORDS_MAX) {
        judge_sentence(&reader->judge, &reader->sentence);
        sentence_keep_last(&reader->sentence);
    }
    sentence_push(&reader->sentence, &word, reader->has_pause, reader->is_in_quotes);
    reader->has_pause = false;
}

/* ---- letters in a row ------------------------------------------------------------------------ */

/* The longest known word that the letters from `at` begin with; a word has two letters at least,
 * but for "i" and "a". */
static uint32_t find_spelled(const struct crisis_reader *reader, uint32_t at, uint32_t *length)
{
    const struct letters *letters = &reader->letters;
    for (*length = letters->count - at; *length > 0; (*length)--) {
        const char *text = letters->text + at;
        const uint32_t entry = word_book_find(reader->vocabulary, text, *length);
        if (entry != 0 && (*length > 1 || text[0] == 'i' || text[0] == 'a')) {
            return entry;
        }
    }
    return 0;
}

/* True and the words pushed if all letters together spell known words. */
static bool push_spelled(struct crisis_reader *reader)
{
    const struct letters *letters = &reader->letters;
    uint32_t entries[LETTERS_MAX], lengths[LETTERS_MAX], count = 0, longest = 0;
    for (uint32_t at = 0; at < letters->count; at += lengths[count], count++) {
        entries[count] = find_spelled(reader, at, &lengths[count]);
        if (entries[count] == 0) {
            return false;
        }
        longest = lengths[count] > longest ? lengths[count] : longest;
    }
    for (uint32_t i = 0, at = 0; longest >= 3 && i < count; at += lengths[i], i++) {
        const uint32_t next = at + lengths[i];
        push(reader, entries[i], letters->starts[at],
             next < letters->count ? letters->starts[next - 1] + 1 : letters->end);
    }
    return longest >= 3;
}

static void on_mark(struct crisis_reader *reader, char mark);

static void flush_letters(struct crisis_reader *reader)
{
    struct letters *letters = &reader->letters;
    if (letters->count == 0) {
        return;
    }
    if (letters->count < 3 || !push_spelled(reader)) {
        for (uint32_t i = 0; i < letters->count; i++) {
            const uint64_t end = i + 1 < letters->count ? letters->starts[i] + 1 : letters->end;
            push(reader, word_book_find(reader->vocabulary, &letters->text[i], 1),
                 letters->starts[i], end);
        }
    }
    reader->text[0] = letters->text[letters->count - 1];
    reader->text_bytes = 1;
    reader->touches = true;
    reader->glue = 0;
    const char mark = letters->mark;
    letters->count = 0;
    letters->mark = 0;
    if (mark != 0) {
        on_mark(reader, mark);
    }
}

static void take_letter(struct crisis_reader *reader, const struct lexeme *lexeme, char letter)
{
    struct letters *letters = &reader->letters;
    if (letters->count == LETTERS_MAX) {
        letters->mark = 0;
        flush_letters(reader);
    }
    letters->mark = 0;
    letters->text[letters->count] = letter;
    letters->starts[letters->count++] = lexeme->start;
    letters->end = lexeme->end;
}

/* ---- words ----------------------------------------------------------------------------------- */

/* A folded text without its apostrophes, cut at TEXT_MAX; returns its length. */
static uint32_t append_text(char *out, uint32_t length, const char *text, uint32_t text_bytes)
{
    for (uint32_t i = 0; i < text_bytes && length < TEXT_MAX; i++) {
        if (text[i] != '\'') {
            out[length++] = text[i];
        }
    }
    return length;
}

/* What may stand for a mark inside a word. */
static const char *find_readings(char mark)
{
    switch (mark) {
    case '!':
        return "il";
    case '@':
        return "a";
    case '$':
        return "s";
    case '*':
    case '#':
    case '%':
    case '_':
        return "aeiou";
    case '+':
        return "t";
    default:
        return "";
    }
}

/* The word that `before`, the mark and `after` make; 0: none. */
static uint32_t read_joined(const struct crisis_reader *reader, char *joined, uint32_t before,
                            char mark, const char *after, uint32_t after_bytes, uint32_t *length)
{
    const char *readings = find_readings(mark);
    for (; *readings != '\0' && before < TEXT_MAX; readings++) {
        joined[before] = *readings;
        *length = append_text(joined, before + 1, after, after_bytes);
        const uint32_t entry = word_book_find(reader->vocabulary, joined, *length);
        if (entry != 0) {
            return entry;
        }
    }
    *length = append_text(joined, before, after, after_bytes);
    const uint32_t entry = word_book_read(reader->vocabulary, joined, *length);
    return entry != 0 && (mark == '\'' || word_book_is_forgiving(reader->vocabulary, entry)) ? entry
                                                                                             : 0;
}

/* "su!cide", "he's": true if the text joins the word before it. */
static bool join(struct crisis_reader *reader, const char *text, const struct lexeme *lexeme)
{
    char joined[TEXT_MAX];
    uint32_t length = 0;
    struct sentence *sentence = &reader->sentence;
    if (!reader->touches || reader->glue == 0 || sentence->count == 0) {
        return false;
    }
    memcpy(joined, reader->text, reader->text_bytes);
    const uint32_t entry = read_joined(reader, joined, reader->text_bytes, reader->glue, text,
                                       lexeme->folded_bytes, &length);
    if (entry == 0) {
        /* "my mother's": the s says nothing */
        return reader->glue == '\'' && lexeme->folded_bytes == 1 && text[0] == 's';
    }
    const uint64_t start = sentence->words[sentence->count - 1].start;
    const uint64_t bit = UINT64_C(1) << (sentence->count - 1);
    reader->has_pause = (sentence->pauses & bit) != 0;
    sentence_pop(sentence);
    push(reader, entry, start, lexeme->end);
    memcpy(reader->text, joined, length);
    reader->text_bytes = length;
    return true;
}

static bool is_year(const char *text, uint32_t length)
{
    return length == 4 && (memcmp(text, "19", 2) == 0 || memcmp(text, "20", 2) == 0);
}

static uint32_t read_entry(const struct crisis_reader *reader, const struct lexeme *lexeme,
                           const char *text, uint32_t length)
{
    const struct grammar *grammar = reader->rules->grammar;
    if (lexeme->class == LEXEME_NUMBER) {
        const uint32_t entry = word_book_find(reader->vocabulary, text, length);
        const bool is_many = length == 2 || length == 3;
        return entry                   ? entry
               : is_year(text, length) ? grammar_year(grammar)
               : is_many               ? grammar_many(grammar)
                                       : grammar_number(grammar);
    }
    const uint32_t entry = word_book_read(reader->vocabulary, text, length);
    const bool is_amount =
        lexeme->class == LEXEME_MIXED && length > 0 && text[0] >= '0' && text[0] <= '9';
    return entry == 0 && is_amount ? grammar_number(grammar) : entry;
}

static void take_word(struct crisis_reader *reader, const struct lexeme *lexeme, const char *text)
{
    uint32_t length = append_text(reader->text, 0, text, lexeme->folded_bytes), joined_bytes = 0;
    uint32_t entry = read_entry(reader, lexeme, reader->text, length);
    if (entry == 0 && reader->lead != 0) {
        char joined[TEXT_MAX];
        entry =
            read_joined(reader, joined, 0, reader->lead, text, lexeme->folded_bytes, &joined_bytes);
    }
    push(reader, entry, lexeme->start, lexeme->end);
    reader->text_bytes = length;
    reader->touches = true;
    reader->glue = 0;
}

/* ---- lexemes --------------------------------------------------------------------------------- */

/* "i", "im": a line that begins so is a line of a chat. */
static bool begins_line(const struct crisis_reader *reader, const struct lexeme *lexeme,
                        const char *text)
{
    const uint32_t entry = word_book_find(reader->vocabulary, text, lexeme->folded_bytes);
    return entry != 0 && (word_book_roles(reader->vocabulary, entry) >> ROLE_FIRST_SUBJECT & 1);
}

/* Whether what came before the word ends a sentence or is a pause. One line end before a lower-case
 * word is a line that was too long. */
static void pass_border(struct crisis_reader *reader, const struct lexeme *lexeme, const char *text)
{
    if (reader->glue == '.' && lexeme->class == LEXEME_NUMBER) { /* 2.5 */
        reader->end_mark = 0;
    }
    const bool goes_on = reader->breaks == 1 && lexeme->letter_case == CASE_LOWER
                         && !begins_line(reader, lexeme, text);
    if (reader->end_mark != 0 || (reader->breaks > 0 && !goes_on)) {
        flush_letters(reader);
        end_sentence(reader);
    } else if (reader->breaks > 0) {
        flush_letters(reader);
        reader->has_pause = true;
    }
    reader->breaks = 0;
}

static void on_word(struct crisis_reader *reader, const struct lexeme *lexeme, const char *text)
{
    const bool is_letter = lexeme->class == LEXEME_WORD && lexeme->folded_bytes == 1;
    const bool is_glyph = lexeme->class == LEXEME_GLYPH;
    if (is_glyph && word_book_find(reader->vocabulary, text, lexeme->folded_bytes) == 0) {
        return;
    }
    if (!is_letter) {
        flush_letters(reader);
    }
    if (join(reader, text, lexeme)) {
        reader->end_mark = 0;
        reader->glue = 0;
    } else if (is_letter) {
        pass_border(reader, lexeme, text);
        take_letter(reader, lexeme, text[0]);
    } else {
        pass_border(reader, lexeme, text);
        take_word(reader, lexeme, text);
    }
    reader->lead = 0;
    reader->last_mark = 0;
}

static bool is_one_of(char mark, const char *marks)
{
    return mark != 0 && strchr(marks, mark) != NULL;
}

static void on_mark(struct crisis_reader *reader, char mark)
{
    struct letters *letters = &reader->letters;
    if (letters->count > 0 && letters->mark == 0 && is_one_of(mark, ".-_*|/")) {
        letters->mark = mark;
        return;
    }
    flush_letters(reader);
    const bool is_dots = mark == '.' && reader->last_mark == '.';
    reader->last_mark = mark;
    if (is_dots) { /* "i just... can't": a pause */
        reader->end_mark = 0;
        reader->has_pause = true;
    } else if (is_one_of(mark, ".!?")) {
        reader->end_mark = reader->end_mark == '?' ? '?' : mark;
    } else if (is_one_of(mark, ",;:()[]{}|/") || (mark == '-' && !reader->touches)) {
        reader->has_pause = true;
    } else if (mark == '"') {
        reader->is_in_quotes = !reader->is_in_quotes;
    }
    reader->lead = reader->touches ? 0 : mark;
    reader->glue = reader->touches && reader->glue == 0 ? mark : 0;
    reader->touches = reader->glue != 0;
}

static void on_space(struct crisis_reader *reader)
{
    if (reader->letters.mark != 0 || reader->end_mark != 0) {
        flush_letters(reader);
    }
    if (reader->end_mark != 0) {
        end_sentence(reader);
    }
    reader->touches = false;
    reader->glue = 0;
    reader->lead = 0;
    reader->last_mark = 0;
}

static void on_break(struct crisis_reader *reader)
{
    flush_letters(reader);
    on_space(reader);
    reader->is_in_quotes = false;
    if (++reader->breaks == 2) {
        end_sentence(reader);
    }
}

static void on_lexeme(struct crisis_reader *reader, const struct window_view *view)
{
    const struct lexeme *lexeme = &view->lexemes[view->at];
    const char *text = lexeme_text(view, view->at);
    switch ((enum lexeme_class)lexeme->class) {
    case LEXEME_WORD:
    case LEXEME_NUMBER:
    case LEXEME_MIXED:
    case LEXEME_GLYPH:
        on_word(reader, lexeme, text);
        break;
    case LEXEME_MARK:
        if (lexeme->folded_bytes > 0) {
            on_mark(reader, text[0]);
        }
        break;
    case LEXEME_SPACE:
        on_space(reader);
        break;
    case LEXEME_BREAK:
        on_break(reader);
        break;
    }
}

static void read_lexemes(struct crisis_reader *reader)
{
    for (struct window_view view = window_view(reader->window); view.at < view.count;
         view = window_view(reader->window)) {
        on_lexeme(reader, &view);
        window_release(reader->window);
    }
}

/* ---- messages -------------------------------------------------------------------------------- */

static void forget_text(struct crisis_reader *reader)
{
    window_reset(reader->window);
    sentence_clear(&reader->sentence);
    sodium_memzero(&reader->letters, sizeof reader->letters);
    sodium_memzero(reader->text, sizeof reader->text);
    reader->text_bytes = 0;
    reader->touches = reader->has_pause = reader->is_in_quotes = false;
    reader->glue = reader->lead = reader->end_mark = reader->last_mark = 0;
    reader->breaks = 0;
}

void crisis_reader_begin(struct crisis_reader *reader, enum crisis_speaker speaker)
{
    forget_text(reader);
    judge_begin(&reader->judge, speaker);
}

void crisis_reader_feed(struct crisis_reader *reader, const char *text, size_t length)
{
    while (length > 0) {
        const size_t taken = window_feed(reader->window, text, length);
        read_lexemes(reader);
        text += taken;
        length -= taken;
    }
}

void crisis_reader_end(struct crisis_reader *reader)
{
    window_end(reader->window);
    read_lexemes(reader);
    flush_letters(reader);
    end_sentence(reader);
    judge_end(&reader->judge);
    forget_text(reader);
}

const struct crisis_finding *crisis_reader_found(const struct crisis_reader *reader)
{
    return &reader->judge.found;
}

const struct crisis_finding *crisis_reader_last(const struct crisis_reader *reader)
{
    return &reader->judge.last;
}
