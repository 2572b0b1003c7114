/* record_schema.h - the schema as a table, and a walk through all fields of a record: for those who
 * make, check or show whole records. Pure functions. */
#pragma once
#include "audit/record/record.h"

enum { RECORD_SCHEMA_NUMBER_MAX = 65535 }; /* greatest number that a field may ever have */
#define RECORD_SCHEMA_TIME_MAX_MS INT64_C(253402300799999) /* the end of the year 9999 */

struct record_schema_field {
    const char *name;
    enum record_kind kind;
    uint32_t limit; /* TEXT: most bytes; BYTES: exactly so many; COUNTS: most names */
};

/* NULL: this program knows no field of that number. */
const struct record_schema_field *record_schema_of(uint64_t number);

/* Unicode's control characters (Cc), which no text of a record has. */
static inline bool record_schema_is_control(uint32_t character)
{
    return character < 0x20 || (character >= 0x7f && character < 0xa0);
}

/* The next field of a parsed record, those of unknown numbers included; false: that was all. Begin
 * with *at = 0. An unknown field that is a number below 0 is INT. */
bool record_next_field(const struct record *record, size_t *at, uint32_t *number,
                       struct record_value *value);
