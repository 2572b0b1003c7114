#include "policy/identify/detectors.h"

/* Where identifiers begin: never with a blank. */
enum {
    LETTERS = DETECTORS_AT(LEXEME_WORD) | DETECTORS_AT(LEXEME_NUMBER) | DETECTORS_AT(LEXEME_MIXED),
    MARKS = DETECTORS_AT(LEXEME_MARK),
    GLYPHS = DETECTORS_AT(LEXEME_GLYPH),
};

/* A row says at which classes of lexemes the detector's findings can begin: at others it is not
 * asked. What a label says goes before what a form says; codes of no known form come last. */
static const struct detectors_row rows[] = {
    {detect_resource, LETTERS | MARKS},
    {detect_network, LETTERS | MARKS},
    {detect_phone, LETTERS | MARKS},
    {detect_record, LETTERS | MARKS | GLYPHS},
    {detect_number, LETTERS | MARKS},
    {detect_date, LETTERS},
    {detect_address, LETTERS},
    {detect_secret, LETTERS | MARKS},
    {detect_name, DETECTORS_AT(LEXEME_WORD)},
    {0, 0},
};

const struct detectors_row *detectors_table(void)
{
    return rows;
}
