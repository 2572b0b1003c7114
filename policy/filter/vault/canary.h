/* canary.h - planted strings that must never leave: exact, but seen through case, spaces, marks and
 * disguises, as a set that is read-only once made (planting makes a new one). It must begin and end
 * as words do; text that goes on without a space after it counts. Reference counted; any thread. */
#pragma once
#include "base/ids.h"
#include "base/status.h"
#include "policy/text/lexeme.h"

enum {
    CANARIES_MAX = 1024,
    CANARY_BYTES = 128,  /* of its text, and of the letters and digits in it once folded */
    CANARY_BYTES_MIN = 6 /* letters and digits: a short one would stop ordinary words */
};

struct canaries;

/* What `old` (NULL: nothing) has and this one too; `old` itself, held, where it has it already.
 * STATUS_INVALID: too short. STATUS_TOO_LARGE, STATUS_FULL: there are CANARIES_MAX. STATUS_IO: no
 * memory. */
MUST_CHECK enum status canaries_plant(struct canaries *old, struct tenant_id tenant,
                                      const char *text, size_t length, struct canaries **out);
struct canaries *canaries_hold(struct canaries *canaries); /* NULL is fine */
void canaries_release(struct canaries *canaries);          /* zeroes; NULL is fine */

/* How a canary that is not the reader's own lies at lexeme `at` of the view. MORE: it may still
 * become one; never once nothing follows. */
enum canary_match { CANARY_NOT, CANARY_MORE, CANARY_IS };
enum canary_match canaries_match(const struct canaries *canaries, struct tenant_id reader,
                                 const struct window_view *view, uint32_t at,
                                 uint32_t *lexeme_count);
