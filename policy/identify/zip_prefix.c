/* zip_prefix.c - see zip_prefix.h. The list is that of the guidance of the Department of Health and
 * Human Services on de-identification: 17 prefixes by the Census of 2000. */
#include "policy/identify/zip_prefix.h"

#include <stddef.h>
#include <string.h>

static const char sparse[][4] = {"036", "059", "063", "102", "203", "556", "692", "790", "821",
                                 "823", "830", "831", "878", "879", "884", "890", "893"};

bool zip_is_sparse(const char three[3])
{
    for (size_t i = 0; i < sizeof sparse / sizeof sparse[0]; i++) {
        if (memcmp(sparse[i], three, 3) == 0) {
            return true;
        }
    }
    return false;
}
