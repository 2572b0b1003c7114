/* record.h - one audit record. A draft is filled in by who records, as a flat value that travels
 * through a ring; the chain gives it number and time and makes the body, the canonical bytes that
 * are hashed. A parsed record is a view into such bytes. Schema: README.md here. Pure functions.
 * Drafts take only what may be in evidence: never text of a prompt or answer, a key or a header. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/ids.h"

/* clang-format off */
enum record_event {
#define EVENT(number, name, text, duty) RECORD_EVENT_##name = (number),
#include "audit/record/event.def"
};
enum record_field {
#define FIELD(number, kind, name, bytes, help) RECORD_FIELD_##name = (number),
#include "audit/record/field.def"
};
/* clang-format on */
enum {
    RECORD_VERSION = 1,
    RECORD_FIELD_MAX = 66,     /* greatest number in field.def */
    RECORD_DRAFT_BYTES = 2560, /* encoded fields of one draft: test_record.c makes the largest */
    RECORD_BODY_BYTES_MAX = 2688,
    RECORD_NAME_BYTES = 64,       /* of a tenant, with NUL */
    RECORD_COUNT_NAME_BYTES = 32, /* of a name in COUNTS, with NUL */
};

const char *record_event_text(enum record_event event); /* NULL: there is none of that number */
bool record_event_of_text(const char *text, enum record_event *out);
bool record_event_opens(enum record_event event); /* may be refused when the queue fills */

/* ---- drafting -------------------------------------------------------------------------------- */

struct record_draft {
    enum record_event event;
    struct tenant_id tenant;             /* 0: the server's own */
    char tenant_name[RECORD_NAME_BYTES]; /* "" for 0 */
    uint16_t field_count, last_field;    /* of those below */
    uint16_t length;
    uint8_t bytes[RECORD_DRAFT_BYTES]; /* encoded pairs, fields 7 and up, ascending */
};

/* tenant_name may be NULL, and is left out for tenant 0. */
void record_draft_begin(struct record_draft *draft, enum record_event event,
                        struct tenant_id tenant, const char *tenant_name);

/* Each asserts that the field has that kind and comes after the one before. Texts are cut at the
 * field's limit, at a character's border; bytes that are no UTF-8 and control characters become
 * '?'. An empty or NULL text and a number that is none (E6) add nothing. A draft has room for every
 * field of the schema at its limit that an event of README.md lists. */
void record_draft_uint(struct record_draft *draft, enum record_field field, uint64_t value);
void record_draft_int(struct record_draft *draft, enum record_field field, int64_t value);
void record_draft_e6(struct record_draft *draft, enum record_field field, double value);
void record_draft_text(struct record_draft *draft, enum record_field field, const char *text);
void record_draft_bytes(struct record_draft *draft, enum record_field field, const uint8_t *bytes);

struct record_count {
    const char *name; /* plain ASCII, 1 to 31 bytes; what is not becomes '?' or is cut */
    uint64_t count;
};
/* Sorts its copy and sums what has one name; counts of 0 are left out; nothing is added when none
 * is left. Asserts on more names than the field may have. */
void record_draft_counts(struct record_draft *draft, enum record_field field,
                         const struct record_count *counts, size_t count);

/* The body of a draft; returns its bytes. Asserts that number is not 0; a time before 1970 or after
 * 9999 is brought to that border. */
size_t record_encode(const struct record_draft *draft, uint64_t number, int64_t time_unix_ms,
                     uint8_t out[RECORD_BODY_BYTES_MAX]);

/* ---- reading --------------------------------------------------------------------------------- */

enum record_kind {
    RECORD_ABSENT,
    RECORD_UINT,
    RECORD_INT,
    RECORD_E6,
    RECORD_TEXT,
    RECORD_BYTES,
    RECORD_COUNTS
};

struct record_value {
    enum record_kind kind;
    uint64_t uint;        /* UINT, and COUNTS: how many pairs */
    int64_t integer;      /* INT, E6 */
    const uint8_t *bytes; /* TEXT, BYTES; of COUNTS the encoded pairs */
    size_t length;
};

struct record {
    uint64_t version, number;
    int64_t time_unix_ms;
    enum record_event event; /* may be one that this program does not know */
    struct tenant_id tenant;
    char tenant_name[RECORD_NAME_BYTES];
    struct record_value fields[RECORD_FIELD_MAX + 1]; /* by number; views into the parsed bytes */
    const uint8_t *body;
    size_t body_bytes;
};

/* STATUS_INVALID: not canonical, of another version, or a field is not as field.def says. Fields
 * with numbers that this program does not know (up to 65535) are accepted, any of the kinds above,
 * and kept in the body alone: record_schema.h walks them. */
MUST_CHECK enum status record_parse(const uint8_t *body, size_t length, struct record *out);

/* Text of a TEXT field, copied with NUL; "" when absent. Returns out. */
const char *record_text(const struct record *record, enum record_field field, char *out,
                        size_t out_bytes);

/* The i-th pair of a COUNTS field; false: there is none. name is cut to fit. */
bool record_count_at(const struct record_value *value, size_t index, char *name, size_t name_bytes,
                     uint64_t *count);

/* One JSON object without a newline: {"version":1,"number":7,"time":"...Z","event":"..",...}. */
MUST_CHECK enum status record_write_json(const struct record *record, struct buffer *out);

/* RFC 3339 in UTC with milliseconds, and back ("2026-11-20T10:00:00Z", fraction optional, also a
 * date alone). STATUS_INVALID. */
enum { RECORD_TIME_BYTES = 32 };
void record_write_time(int64_t unix_ms, char out[RECORD_TIME_BYTES]);
MUST_CHECK enum status record_read_time(const char *text, int64_t *unix_ms);
