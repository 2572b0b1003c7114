/* ship_erase.h - Redis forgets what retention took from the spool: entries of removed segments are
 * trimmed, those whose bodies were erased are deleted. What is left to do is known from the file
 * `erased` and from PREFIX:@erased, the greatest mark that this Redis has followed, written behind
 * what was deleted: one that lost its last second, or is an older copy, has an older mark, and all
 * since is done again. Owner: the session; one thread. */
#pragma once
#include "audit/redis/ship_window.h"
#include "audit/spool/spool_reader.h"

struct ship_erase {
    struct spool_reader *reader; /* of the segment that is being followed; NULL: none */
    uint64_t segment, mark;
    uint64_t deleted; /* entries, since the append-only file was last rewritten */
};

enum ship_erased {
    SHIP_ERASED_ALL,   /* nothing is left to do */
    SHIP_ERASED_SOME,  /* there may be more */
    SHIP_ERASED_LATER, /* there is more, once more is shipped, or Redis is less busy */
};

struct ship_erase_place {
    redisContext *link;
    struct ship_window *window; /* free to use */
    const char *directory;
    uint64_t position; /* last sequence of the stream */
    bool has_aof;      /* deleted entries are to leave its file */
    bool *differs;     /* Redis holds something else than the spool */
};

/* Ends with the stream watched again. */
MUST_CHECK enum status ship_erase_step(struct ship_erase *erase,
                                       const struct ship_erase_place *place, enum ship_erased *out,
                                       struct failure *failure);
void ship_erase_close(struct ship_erase *erase); /* the reader; one of {0} is fine */
