/* resources.h - where people in a crisis find help, by region, from data (policy/data/regions/):
 * names and numbers that no filter may touch, the protocol text that is told verbatim, and which
 * number is the right one. Read-only once made; any thread. */
#pragma once
#include "base/failure.h"
#include "policy/crisis/crisis.h"
#include "policy/text/lexeme.h"

struct resources;

/* region: "us", a file in the binary, or one of `directory` (NULL: none) by that name, which comes
 * first. STATUS_NOT_FOUND; STATUS_INVALID: failure names file and line. */
MUST_CHECK enum status resources_create(const char *region, const char *directory,
                                        struct resources **out, struct failure *failure);
MUST_CHECK enum status resources_parse(const char *yaml, size_t length, const char *name,
                                       struct resources **out, struct failure *failure);
void resources_destroy(struct resources *resources); /* NULL is fine */

/* A tenant's own line beside the region's, before the value is shared: a number, name or address.
 * STATUS_INVALID: nothing that could be found. STATUS_FULL: too many, too long. */
MUST_CHECK enum status resources_extend(struct resources *resources, const char *text);

/* How a name or number of the region lies at view->at. MORE: it may still become one. */
enum resource_match { RESOURCE_NOT, RESOURCE_MORE, RESOURCE_IS };
enum resource_match resources_match(const struct resources *resources,
                                    const struct window_view *view, bool has_ended,
                                    uint32_t *lexeme_count);

/* Digits of a number that stands where a crisis line is spoken of. True: it is none of the region,
 * and *right is what belongs there ("988"). */
bool resources_correct(const struct resources *resources, const struct window_view *view,
                       uint32_t number_first, uint32_t number_last, const char **right);

/* Verbatim text for a kind and grade, in the language ("en"), or of the region's `default` kind;
 * NULL: none, ask for another language. Lives as resources. */
const char *resources_protocol(const struct resources *resources, enum crisis_kind kind,
                               enum crisis_grade grade, const char *language);

/* What resources_extend added, in turn; NULL after the last. */
const char *resources_extra(const struct resources *resources, size_t index);

/* Every string of the region in turn, for tests and consoles; NULL after the last. */
const char *resources_string(const struct resources *resources, size_t index);
