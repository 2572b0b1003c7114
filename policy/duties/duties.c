#include "policy/duties/duties.h"

#include <pthread.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"

static const char disclosure[] = "You are talking with an AI assistant, not with a person. It is "
                                 "no clinician and does not treat.";
static const char reminder[] =
    "A reminder: this is an AI assistant, not a person. It may be a good moment for a break.";

enum { WAYS = 4, SECONDS_A_MINUTE = 60, SECONDS_A_DAY = 86400 };

struct entry {
    uint64_t key;                     /* keyed hash of tenant and conversation; 0: free */
    int64_t told_unix_s, used_unix_s; /* when a disclosure or reminder was told; of the last turn */
};

struct duties {
    pthread_mutex_t lock;
    unsigned char secret[crypto_shorthash_KEYBYTES];
    uint32_t set_count;
    struct entry *entries; /* [set_count][WAYS] */
};

enum status duties_create(uint32_t conversations_max, struct duties **out)
{
    struct duties *duties = calloc(1, sizeof *duties);
    const uint32_t set_count = conversations_max / WAYS + 1;
    struct entry *entries = calloc((size_t)set_count * WAYS, sizeof *entries);
    if (!duties || !entries || sodium_init() < 0) {
        free(duties);
        free(entries);
        return STATUS_IO;
    }
    duties->set_count = set_count;
    duties->entries = entries;
    randombytes_buf(duties->secret, sizeof duties->secret);
    pthread_mutex_init(&duties->lock, NULL);
    *out = duties;
    return STATUS_OK;
}

void duties_destroy(struct duties *duties)
{
    if (duties) {
        pthread_mutex_destroy(&duties->lock);
        free(duties->entries);
        sodium_memzero(duties->secret, sizeof duties->secret);
        free(duties);
    }
}

static uint64_t hash(const struct duties *duties, const char *bytes, size_t length)
{
    unsigned char out[crypto_shorthash_BYTES];
    uint64_t value = 0;
    crypto_shorthash(out, (const unsigned char *)bytes, length, duties->secret);
    memcpy(&value, out, sizeof value);
    return value;
}

static uint64_t key_of(const struct duties *duties, const struct duties_turn *turn)
{
    const uint64_t parts[2] = {turn->tenant.value, hash(duties, turn->conversation, turn->length)};
    const uint64_t key = hash(duties, (const char *)parts, sizeof parts);
    return key != 0 ? key : 1;
}

/* The conversation's entry, or the longest unused one of its set, emptied for it. */
static struct entry *entry_of(struct duties *duties, uint64_t key, bool *is_known)
{
    struct entry *set = &duties->entries[key % duties->set_count * WAYS];
    struct entry *oldest = set;
    *is_known = true;
    for (size_t i = 0; i < WAYS; i++) {
        if (set[i].key == key) {
            return &set[i];
        }
        if (set[i].key == 0 || (oldest->key != 0 && set[i].used_unix_s < oldest->used_unix_s)) {
            oldest = oldest->key == 0 ? oldest : &set[i];
        }
    }
    *is_known = false;
    *oldest = (struct entry){.key = key};
    return oldest;
}

static int64_t reminder_s(const struct rules_duties *rules, bool is_minor)
{
    const uint32_t minutes = is_minor && rules->reminds_minors_every_minutes > 0
                                 ? rules->reminds_minors_every_minutes
                                 : rules->reminds_every_minutes;
    return (int64_t)minutes * SECONDS_A_MINUTE;
}

/* Of a conversation that was seen before. */
static enum duty due_again(const struct rules_duties *rules, const struct duties_turn *turn,
                           const struct entry *entry)
{
    const int64_t pause_s = turn->now_unix_s - entry->used_unix_s;
    const int64_t since_told_s = turn->now_unix_s - entry->told_unix_s;
    const int64_t again_s = (int64_t)rules->discloses_again_after_days * SECONDS_A_DAY;
    const int64_t remind_s = reminder_s(rules, turn->is_minor);
    if (again_s > 0 && pause_s >= again_s) {
        return DUTY_DISCLOSE;
    }
    return remind_s > 0 && since_told_s >= remind_s ? DUTY_REMIND : DUTY_NONE;
}

/* must_disclose: whatever the times say. */
static enum duty due_of(struct duties *duties, const struct rules_duties *rules,
                        const struct duties_turn *turn, bool must_disclose)
{
    bool is_known = false;
    struct entry *entry = entry_of(duties, key_of(duties, turn), &is_known);
    const enum duty due = must_disclose ? DUTY_DISCLOSE
                          : is_known    ? due_again(rules, turn, entry)
                                        : DUTY_NONE;
    if (!is_known || due != DUTY_NONE) { /* one that ran before this process did counts from now */
        entry->told_unix_s = turn->now_unix_s;
    }
    entry->used_unix_s = turn->now_unix_s;
    return due;
}

enum duty duties_due(struct duties *duties, const struct rules_duties *rules,
                     const struct duties_turn *turn)
{
    const bool must_disclose = (turn->is_first && rules->discloses_ai_at_start)
                               || (turn->is_asked && rules->discloses_ai_when_asked);
    enum duty due = must_disclose ? DUTY_DISCLOSE : DUTY_NONE;
    ASSERT(turn->conversation || turn->length == 0);
    if (turn->length > 0) {
        pthread_mutex_lock(&duties->lock);
        due = due_of(duties, rules, turn, must_disclose);
        pthread_mutex_unlock(&duties->lock);
    }
    return due;
}

const char *duties_text(const struct rules_duties *rules, enum duty duty)
{
    switch (duty) {
    case DUTY_DISCLOSE:
        return rules->disclosure[0] != '\0' ? rules->disclosure : disclosure;
    case DUTY_REMIND:
        return rules->reminder[0] != '\0' ? rules->reminder : reminder;
    case DUTY_NONE:
        break;
    }
    return NULL;
}
