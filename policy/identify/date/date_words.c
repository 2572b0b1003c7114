/* date_words.c - see date_words.h. */
#include "policy/identify/date/date_words.h"

#include "policy/identify/date/calendar.h"
#include "policy/identify/words/glance.h"

enum { EVENT_LEXEMES = 4, KEY_LEXEMES = 5 };

/* clang-format off */
static const struct word_entry entries[] = {
    {"admission", DATE_EVENT}, {"admit", DATE_EVENT}, {"admitted", DATE_BEFORE | DATE_EVENT},
    {"after", DATE_BEFORE | DATE_DANGLING}, {"also", DATE_VERB}, {"am", DATE_BEFORE},
    {"and", DATE_SUBJECT | DATE_LINK}, {"anniversary", DATE_EVENT},
    {"appointment", DATE_BEFORE | DATE_EVENT}, {"appt", DATE_BEFORE | DATE_EVENT},
    {"around", DATE_BEFORE | DATE_DANGLING}, {"ask", DATE_VERB}, {"at", DATE_LINK},
    {"bday", DATE_BIRTH}, {"be", DATE_VERB}, {"been", DATE_LINK},
    {"before", DATE_BEFORE | DATE_DANGLING}, {"between", DATE_BEFORE}, {"birth", DATE_BIRTH},
    {"birthdate", DATE_BEFORE | DATE_BIRTH}, {"birthday", DATE_BEFORE | DATE_BIRTH},
    {"birthdays", DATE_EVENT}, {"born", DATE_BEFORE | DATE_BIRTH | DATE_DANGLING},
    {"by", DATE_BEFORE | DATE_DANGLING}, {"can", DATE_SUBJECT}, {"cause", DATE_VERB},
    {"come", DATE_VERB}, {"could", DATE_SUBJECT}, {"court", DATE_EVENT},
    {"date", DATE_BEFORE | DATE_EVENT | DATE_LINK}, {"dated", DATE_BEFORE | DATE_EVENT},
    {"datetime", DATE_KEY}, {"day", DATE_KEY}, {"deadline", DATE_EVENT}, {"deceased", DATE_EVENT},
    {"departed", DATE_BEFORE}, {"died", DATE_EVENT}, {"discharge", DATE_EVENT},
    {"discharged", DATE_BEFORE | DATE_EVENT}, {"discharges", DATE_EVENT}, {"divorced", DATE_EVENT},
    {"doa", DATE_EVENT}, {"dob", DATE_BEFORE | DATE_BIRTH | DATE_DANGLING},
    {"doctor", DATE_SUBJECT}, {"doctors", DATE_SUBJECT}, {"dod", DATE_EVENT}, {"doi", DATE_EVENT},
    {"dos", DATE_EVENT}, {"due", DATE_BEFORE | DATE_EVENT}, {"effective", DATE_EVENT},
    {"effects", DATE_SUBJECT}, {"el", DATE_BEFORE}, {"end", DATE_KEY}, {"ends", DATE_KEY},
    {"exp", DATE_EVENT}, {"experience", DATE_VERB}, {"expiration", DATE_EVENT},
    {"expires", DATE_EVENT}, {"feel", DATE_VERB}, {"filed", DATE_EVENT}, {"followup", DATE_EVENT},
    {"for", DATE_LINK}, {"from", DATE_BEFORE | DATE_KEY}, {"get", DATE_VERB}, {"go", DATE_VERB},
    {"have", DATE_VERB}, {"he", DATE_SUBJECT | DATE_VERB}, {"hearing", DATE_EVENT},
    {"help", DATE_VERB}, {"her", DATE_LINK}, {"his", DATE_LINK}, {"how", DATE_SUBJECT},
    {"i", DATE_SUBJECT | DATE_VERB}, {"in", DATE_LINK}, {"is", DATE_BEFORE | DATE_LINK},
    {"issued", DATE_EVENT}, {"it", DATE_SUBJECT | DATE_VERB},
    {"its", DATE_LINK}, {"last", DATE_LINK}, {"le", DATE_BEFORE},
    {"lets", DATE_SUBJECT}, {"lmp", DATE_EVENT}, {"married", DATE_EVENT},
    {"medication", DATE_SUBJECT}, {"must", DATE_SUBJECT}, {"my", DATE_LINK}, {"naci", DATE_BIRTH},
    {"nacida", DATE_BIRTH}, {"nacido", DATE_BIRTH}, {"need", DATE_VERB}, {"never", DATE_VERB},
    {"next", DATE_LINK}, {"not", DATE_SUBJECT | DATE_VERB}, {"notice", DATE_VERB},
    {"occur", DATE_VERB}, {"of", DATE_BEFORE | DATE_LINK},
    {"on", DATE_BEFORE | DATE_LINK | DATE_DANGLING | DATE_KEY}, {"one", DATE_SUBJECT},
    {"only", DATE_VERB}, {"onset", DATE_EVENT}, {"or", DATE_SUBJECT}, {"passed", DATE_EVENT},
    {"patient", DATE_SUBJECT}, {"patients", DATE_SUBJECT}, {"people", DATE_SUBJECT},
    {"planned", DATE_BEFORE}, {"quit", DATE_EVENT}, {"require", DATE_VERB},
    {"returned", DATE_BEFORE}, {"s", DATE_LINK}, {"scheduled", DATE_BEFORE | DATE_EVENT},
    {"seem", DATE_VERB}, {"seen", DATE_EVENT}, {"service", DATE_EVENT},
    {"she", DATE_SUBJECT | DATE_VERB}, {"should", DATE_SUBJECT}, {"signed", DATE_EVENT},
    {"since", DATE_BEFORE | DATE_EVENT | DATE_DANGLING}, {"slot", DATE_KEY}, {"sober", DATE_EVENT},
    {"start", DATE_KEY}, {"started", DATE_EVENT}, {"starts", DATE_KEY}, {"still", DATE_VERB},
    {"surgery", DATE_EVENT}, {"symptoms", DATE_SUBJECT}, {"take", DATE_VERB},
    {"that", DATE_SUBJECT}, {"the", DATE_LINK}, {"there", DATE_SUBJECT},
    {"they", DATE_SUBJECT | DATE_VERB}, {"this", DATE_SUBJECT}, {"through", DATE_BEFORE},
    {"til", DATE_BEFORE | DATE_DANGLING}, {"till", DATE_BEFORE | DATE_DANGLING}, {"time", DATE_KEY},
    {"to", DATE_SUBJECT | DATE_KEY}, {"today", DATE_LINK}, {"tomorrow", DATE_LINK},
    {"tonight", DATE_LINK}, {"until", DATE_BEFORE | DATE_EVENT | DATE_DANGLING | DATE_KEY},
    {"visit", DATE_EVENT}, {"want", DATE_VERB}, {"was", DATE_BEFORE | DATE_LINK},
    {"we", DATE_SUBJECT | DATE_VERB}, {"week", DATE_EVENT}, {"weekend", DATE_EVENT},
    {"well", DATE_VERB}, {"what", DATE_SUBJECT}, {"when", DATE_KEY}, {"which", DATE_SUBJECT},
    {"who", DATE_SUBJECT}, {"will", DATE_SUBJECT}, {"would", DATE_SUBJECT},
    {"you", DATE_SUBJECT | DATE_VERB},
};
/* clang-format on */
const struct word_table date_words = WORD_TABLE(entries);

uint32_t date_words_before(const struct cursor *cursor, uint32_t index, uint32_t bits)
{
    return glance_left_word(cursor, index, &date_words) & bits;
}

/* "d.o.b", "D.O.B.:" */
static bool is_dotted_birth(const struct cursor *cursor, uint32_t at)
{
    const struct window_view *view = &cursor->reading->view;
    uint32_t left = glance_left(cursor, at);
    for (uint32_t i = 0;
         i < 2 && left != GLANCE_NOTHING && glance_left_mark(cursor, left, ".:") != '\0'; i++) {
        left = glance_left(cursor, left);
    }
    return left != GLANCE_NOTHING && left >= 4 && lexeme_is(view, left, "b")
           && lexeme_is(view, left - 1, ".") && lexeme_is(view, left - 2, "o")
           && lexeme_is(view, left - 3, ".") && lexeme_is(view, left - 4, "d");
}

bool date_words_tell(const struct cursor *cursor, uint32_t at, uint32_t bits)
{
    const struct glance_tell tell = {&date_words, bits, DATE_LINK, EVENT_LEXEMES, NULL};
    return glance_left_tell(cursor, at, &tell) != GLANCE_NOTHING
           || ((bits & DATE_BIRTH) && is_dotted_birth(cursor, at));
}

bool date_words_weekday(const struct cursor *cursor, uint32_t at)
{
    uint32_t left = at;
    for (uint32_t i = 0; i < 3; i++) { /* a comma and a full stop may stand between */
        if (glance_left_word(cursor, left, &calendar_words) & CALENDAR_WEEKDAY) {
            return true;
        }
        left = glance_left(cursor, left);
        if (left == GLANCE_NOTHING || cursor->reading->view.lexemes[left].class != LEXEME_MARK) {
            return false;
        }
    }
    return false;
}

/* when="7/4", "start": "7/4" */
static bool is_keyed(const struct cursor *cursor, uint32_t at)
{
    bool is_told = false;
    uint32_t left = at;
    for (uint32_t i = 0; i < KEY_LEXEMES; i++) {
        if (is_told && date_words_before(cursor, left, DATE_KEY)) {
            return true;
        }
        left = glance_left(cursor, left);
        const char mark =
            (char)(left == GLANCE_NOTHING ? 0 : glance_left_mark(cursor, left, ":='\""));
        if (mark == 0) {
            return false;
        }
        is_told |= mark == ':' || mark == '=';
    }
    return false;
}

/* In front of "7/4": only what never stands in front of a score or a fraction. */
bool date_words_are_clear(const struct cursor *cursor, uint32_t at)
{
    const uint32_t strong = date_words_before(cursor, at, DATE_DANGLING);
    return strong != 0 || date_words_tell(cursor, at, DATE_EVENT | DATE_BIRTH)
           || date_words_weekday(cursor, at) || is_keyed(cursor, at);
}
