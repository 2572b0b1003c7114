/* Answers for a lexicon until lexicon.c does. */
#include "policy/text/lexicon.h"

uint32_t lexicon_find(const struct lexicon *lexicon, const char *folded, size_t length)
{
    (void)lexicon;
    (void)folded;
    (void)length;
    return 0;
}
