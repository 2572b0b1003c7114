/* resource_words.c - words that tell whose number stands near them, in the languages of the shipped
 * regions. A word may have several roles. */
#include <string.h>

#include "policy/crisis/resources/resources_parts.h"

enum { CUE_LINE = WORD_CUE | WORD_LINE, OWNER_COUNTED = WORD_OWNER | WORD_COUNTED };

static const struct {
    const char *words; /* folded, a space between */
    uint16_t role;
} table[] = {
    {"hotline hotlines lifeline helpline helplines warmline textline", CUE_LINE},
    {"suicide suicidal crisis crises prevention overdose selfharm", WORD_CUE},
    {"suicidio suicida prevencion crise", WORD_CUE},
    {"line linea ligne number numero", WORD_LINE},
    {"emergency emergencies ambulance police paramedics danger", WORD_EMERGENCY},
    {"emergencia emergencias urgence urgences ambulancia policia ambulans", WORD_EMERGENCY},
    {"call dial ring phone telephone calling dialing reach", WORD_DIAL},
    {"llama llame llamar llamando marca marque marcar appelez composez", WORD_DIAL},
    {"text texting sms message send messaging", WORD_TEXT | WORD_DIAL},
    {"envia envie enviar texto mensaje textez", WORD_TEXT | WORD_DIAL},
    {"office clinic pharmacy doctor doctors therapist therapists psychiatrist counselor",
     WORD_OWNER},
    {"provider insurance reception receptionist desk billing nurse school work", WORD_OWNER},
    {"mom mother mum dad father friend sister brother wife husband partner son", WORD_OWNER},
    {"daughter aunt uncle neighbor roommate landlord my his her their", WORD_OWNER},
    {"appointment scheduling schedule refill hospital ward front caseworker", WORD_OWNER},
    {"consultorio clinica farmacia mi su medico hermana hermano madre padre", WORD_OWNER},
    {"extension ext fax our us me dr", WORD_OWNER},
    {"contact contacts department dept physician refill kit fund", WORD_ROOM},
    {"room", WORD_ROOM},
    {"mrn account acct id record case room apt apartment suite unit", OWNER_COUNTED},
    {"policy claim invoice zip flight bus route porsche patient member chart", OWNER_COUNTED},
    {"street st avenue ave road rd drive lane ln boulevard blvd court ct", WORD_STREET},
    {"dr", WORD_STREET},
    {"place pl terrace circle highway hwy parkway pkwy", WORD_STREET},
};

static enum status add(struct resources *resources, const char *word, size_t length, uint16_t role)
{
    const uint16_t symbol = phrase_book_intern(resources->book, word, length);
    if (symbol == 0) {
        return STATUS_FULL;
    }
    resources->roles[symbol] |= role;
    return STATUS_OK;
}

enum status resource_words_add(struct resources *resources)
{
    enum status status = STATUS_OK;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        const char *word = table[i].words;
        while (status == STATUS_OK && *word) {
            const size_t length = strcspn(word, " ");
            status = add(resources, word, length, table[i].role);
            word += length + (word[length] == ' ');
        }
    }
    return status;
}
