/* phone_words.c - see phone_words.h. */
#include "policy/identify/phone/phone_words.h"

#include "policy/identify/words/glance.h"

enum { WORDS_LEFT = 6 };

/* clang-format off */
static const struct word_entry entries[] = {
    {"account", PHONE_WORDS_OTHER}, {"acct", PHONE_WORDS_OTHER}, {"answer", PHONE_WORDS_PHONE},
    {"answering", PHONE_WORDS_PHONE}, {"barcode", PHONE_WORDS_OTHER},
    {"beneficiary", PHONE_WORDS_OTHER}, {"bp", PHONE_WORDS_OTHER}, {"call", PHONE_WORDS_PHONE},
    {"callback", PHONE_WORDS_PHONE}, {"called", PHONE_WORDS_PHONE}, {"calling", PHONE_WORDS_PHONE},
    {"calls", PHONE_WORDS_PHONE}, {"card", PHONE_WORDS_OTHER}, {"case", PHONE_WORDS_OTHER},
    {"cb", PHONE_WORDS_PHONE}, {"cell", PHONE_WORDS_PHONE | PHONE_WORDS_LABEL},
    {"cellphone", PHONE_WORDS_PHONE | PHONE_WORDS_LABEL}, {"celular", PHONE_WORDS_PHONE},
    {"chart", PHONE_WORDS_OTHER}, {"claim", PHONE_WORDS_OTHER}, {"confirmation", PHONE_WORDS_OTHER},
    {"contact", PHONE_WORDS_PHONE}, {"contacts", PHONE_WORDS_PHONE}, {"cpt", PHONE_WORDS_OTHER},
    {"dea", PHONE_WORDS_OTHER}, {"desk", PHONE_WORDS_PHONE | PHONE_WORDS_LABEL},
    {"device", PHONE_WORDS_OTHER}, {"dial", PHONE_WORDS_PHONE}, {"dialed", PHONE_WORDS_PHONE},
    {"direct", PHONE_WORDS_PHONE | PHONE_WORDS_LABEL}, {"dosage", PHONE_WORDS_OTHER},
    {"ein", PHONE_WORDS_OTHER}, {"emergency", PHONE_WORDS_PHONE}, {"ext", PHONE_WORDS_EXTENSION},
    {"extension", PHONE_WORDS_EXTENSION}, {"extn", PHONE_WORDS_EXTENSION},
    {"facsimile", PHONE_WORDS_FAX}, {"fax", PHONE_WORDS_FAX | PHONE_WORDS_LABEL},
    {"faxed", PHONE_WORDS_FAX}, {"faxes", PHONE_WORDS_FAX}, {"faxing", PHONE_WORDS_FAX},
    {"fx", PHONE_WORDS_FAX}, {"group", PHONE_WORDS_OTHER}, {"gsm", PHONE_WORDS_PHONE},
    {"gtin", PHONE_WORDS_OTHER}, {"handy", PHONE_WORDS_PHONE}, {"hcpcs", PHONE_WORDS_OTHER},
    {"helpline", PHONE_WORDS_PHONE}, {"home", PHONE_WORDS_PHONE | PHONE_WORDS_LABEL},
    {"hotline", PHONE_WORDS_PHONE}, {"hp", PHONE_WORDS_PHONE}, {"iban", PHONE_WORDS_OTHER},
    {"icd", PHONE_WORDS_OTHER}, {"id", PHONE_WORDS_OTHER}, {"identifier", PHONE_WORDS_OTHER},
    {"imei", PHONE_WORDS_OTHER}, {"insurance", PHONE_WORDS_OTHER}, {"invoice", PHONE_WORDS_OTHER},
    {"isbn", PHONE_WORDS_OTHER}, {"itin", PHONE_WORDS_OTHER}, {"lab", PHONE_WORDS_OTHER},
    {"landline", PHONE_WORDS_PHONE | PHONE_WORDS_LABEL}, {"licence", PHONE_WORDS_OTHER},
    {"license", PHONE_WORDS_OTHER}, {"lot", PHONE_WORDS_OTHER}, {"main", PHONE_WORDS_LABEL},
    {"mastercard", PHONE_WORDS_OTHER}, {"medicaid", PHONE_WORDS_OTHER},
    {"medicare", PHONE_WORDS_OTHER}, {"member", PHONE_WORDS_OTHER},
    {"membership", PHONE_WORDS_OTHER}, {"message", PHONE_WORDS_PHONE},
    {"messages", PHONE_WORDS_PHONE}, {"messaging", PHONE_WORDS_PHONE}, {"mob", PHONE_WORDS_PHONE},
    {"mobile", PHONE_WORDS_PHONE | PHONE_WORDS_LABEL}, {"movil", PHONE_WORDS_PHONE},
    {"mrn", PHONE_WORDS_OTHER}, {"ndc", PHONE_WORDS_OTHER}, {"no", PHONE_WORDS_NUMBER},
    {"npi", PHONE_WORDS_OTHER}, {"nr", PHONE_WORDS_NUMBER}, {"num", PHONE_WORDS_NUMBER},
    {"number", PHONE_WORDS_NUMBER}, {"numbers", PHONE_WORDS_NUMBER},
    {"office", PHONE_WORDS_PHONE | PHONE_WORDS_LABEL}, {"order", PHONE_WORDS_OTHER},
    {"paged", PHONE_WORDS_PHONE}, {"pager", PHONE_WORDS_PHONE | PHONE_WORDS_LABEL},
    {"passport", PHONE_WORDS_OTHER}, {"ph", PHONE_WORDS_PHONE},
    {"phone", PHONE_WORDS_PHONE | PHONE_WORDS_LABEL}, {"phones", PHONE_WORDS_PHONE},
    {"plate", PHONE_WORDS_OTHER}, {"policy", PHONE_WORDS_OTHER}, {"portable", PHONE_WORDS_PHONE},
    {"postal", PHONE_WORDS_OTHER}, {"pressure", PHONE_WORDS_OTHER}, {"rang", PHONE_WORDS_PHONE},
    {"reach", PHONE_WORDS_PHONE}, {"reachable", PHONE_WORDS_PHONE}, {"reached", PHONE_WORDS_PHONE},
    {"record", PHONE_WORDS_OTHER}, {"ref", PHONE_WORDS_OTHER}, {"reference", PHONE_WORDS_OTHER},
    {"registered", PHONE_WORDS_PHONE}, {"registration", PHONE_WORDS_PHONE},
    {"ring", PHONE_WORDS_PHONE}, {"routing", PHONE_WORDS_OTHER}, {"rx", PHONE_WORDS_OTHER},
    {"score", PHONE_WORDS_OTHER}, {"security", PHONE_WORDS_OTHER}, {"serial", PHONE_WORDS_OTHER},
    {"sms", PHONE_WORDS_PHONE}, {"sn", PHONE_WORDS_OTHER}, {"social", PHONE_WORDS_OTHER},
    {"ssn", PHONE_WORDS_OTHER}, {"subscriber", PHONE_WORDS_OTHER}, {"tax", PHONE_WORDS_OTHER},
    {"tel", PHONE_WORDS_PHONE | PHONE_WORDS_LABEL}, {"tele", PHONE_WORDS_PHONE},
    {"telefax", PHONE_WORDS_FAX | PHONE_WORDS_LABEL}, {"telefon", PHONE_WORDS_PHONE},
    {"telefone", PHONE_WORDS_PHONE}, {"telefono", PHONE_WORDS_PHONE},
    {"telegram", PHONE_WORDS_PHONE}, {"telephone", PHONE_WORDS_PHONE | PHONE_WORDS_LABEL},
    {"text", PHONE_WORDS_PHONE}, {"texted", PHONE_WORDS_PHONE}, {"texting", PHONE_WORDS_PHONE},
    {"texts", PHONE_WORDS_PHONE}, {"ticket", PHONE_WORDS_OTHER}, {"timestamp", PHONE_WORDS_OTHER},
    {"tlf", PHONE_WORDS_PHONE}, {"tlfn", PHONE_WORDS_PHONE}, {"tracking", PHONE_WORDS_OTHER},
    {"udi", PHONE_WORDS_OTHER}, {"viber", PHONE_WORDS_PHONE}, {"vin", PHONE_WORDS_OTHER},
    {"visa", PHONE_WORDS_OTHER}, {"voicemail", PHONE_WORDS_PHONE}, {"whatsapp", PHONE_WORDS_PHONE},
    {"work", PHONE_WORDS_PHONE | PHONE_WORDS_LABEL}, {"x", PHONE_WORDS_EXTENSION},
    {"xt", PHONE_WORDS_EXTENSION}, {"zip", PHONE_WORDS_OTHER},
};
/* clang-format on */
const struct word_table phone_words = WORD_TABLE(entries);

enum { SAYS = PHONE_WORDS_PHONE | PHONE_WORDS_FAX | PHONE_WORDS_OTHER };

/* A question or exclamation mark, or a full stop that ends no abbreviation. */
static bool ends_sentence(const struct cursor *cursor, uint32_t index)
{
    const struct window_view *view = &cursor->reading->view;
    if (lexeme_is(view, index, "?") || lexeme_is(view, index, "!")) {
        return true;
    }
    return lexeme_is(view, index, ".") && index > 0
           && !(glance_word_at(view, index - 1, &phone_words) & (SAYS | PHONE_WORDS_NUMBER))
           && view->lexemes[index - 1].folded_bytes > 1; /* "p." */
}

uint32_t phone_words_before(const struct cursor *cursor, uint32_t at)
{
    uint32_t words = 0;
    bool is_number = false;
    uint32_t left = at;
    while (words < WORDS_LEFT) {
        const uint32_t found = glance_left_word(cursor, left, &phone_words);
        if (found & SAYS) {
            return found & SAYS;
        }
        is_number |= (found & PHONE_WORDS_NUMBER) != 0;
        left = glance_left(cursor, left);
        if (left == GLANCE_NOTHING || ends_sentence(cursor, left)) {
            break;
        }
        words += cursor->reading->view.lexemes[left].class != LEXEME_MARK;
    }
    return is_number ? PHONE_WORDS_PHONE : 0;
}

/* ": 586-7565", " (798": the label at index - 1 is that of the number behind it. */
static bool opens_number(struct cursor *cursor, uint32_t index)
{
    uint32_t next = index;
    if (glance_mark(cursor, next, ".:#") != '\0') {
        next++;
    }
    next = glance_spaces(cursor, next);
    return cursor_is_class(cursor, next, LEXEME_NUMBER) || glance_mark(cursor, next, "(+") != '\0';
}

/* " office", "-Office", " (fax)": the label behind a number, on its line. */
static uint32_t label_after(struct cursor *cursor, uint32_t end)
{
    uint32_t next = glance_spaces(cursor, end);
    if (glance_mark(cursor, next, "-([") != '\0') {
        next = glance_spaces(cursor, next + 1);
    }
    const uint32_t found = next == end ? 0 : glance_word(cursor, next, &phone_words);
    if (!(found & PHONE_WORDS_LABEL)) {
        return 0;
    }
    return opens_number(cursor, next + 1) ? 0 : found & (PHONE_WORDS_PHONE | PHONE_WORDS_FAX);
}

/* The label directly in front of a number, "Fax:". */
static uint32_t label_before(const struct cursor *cursor, uint32_t at)
{
    uint32_t left = glance_left_on_line(cursor, at);
    const struct window_view *view = &cursor->reading->view;
    if (left != GLANCE_NOTHING && (lexeme_is(view, left, ":") || lexeme_is(view, left, "."))) {
        left = glance_left_on_line(cursor, left);
    }
    if (left == GLANCE_NOTHING) {
        return 0;
    }
    const bool is_letter = lexeme_is(view, left, "f") && left + 1 < at; /* "F: 586-7565" */
    return is_letter ? PHONE_WORDS_FAX : glance_left_word(cursor, left + 1, &phone_words);
}

bool phone_words_around(struct cursor *cursor, uint32_t at, uint32_t end)
{
    const uint32_t before = phone_words_before(cursor, at);
    if (before & (PHONE_WORDS_PHONE | PHONE_WORDS_FAX)) {
        return true;
    }
    return before != PHONE_WORDS_OTHER && label_after(cursor, end) != 0;
}

bool phone_words_is_fax(struct cursor *cursor, uint32_t at, uint32_t end)
{
    const uint32_t label = label_before(cursor, at);
    if (label & (PHONE_WORDS_PHONE | PHONE_WORDS_FAX)) {
        return (label & PHONE_WORDS_FAX) != 0;
    }
    const uint32_t after = label_after(cursor, end);
    if (after != 0) {
        return (after & PHONE_WORDS_FAX) != 0;
    }
    return (phone_words_before(cursor, at) & PHONE_WORDS_FAX) != 0;
}
