#include "server/commands/support/local_redis.h"

#include <sodium.h>
#include <string.h>

#include "audit/redis/redis_reader.h"
#include "audit/spool/directory.h"

enum { LOOK_MS = 200 };

/* A log that is not made yet owns nothing. */
static bool is_owner(const char *audit_directory, const char *owner)
{
    uint8_t chain_id[CHECKPOINT_KEY_BYTES];
    char digits[2 * CHECKPOINT_KEY_BYTES + 1];
    return directory_read_public_key(audit_directory, chain_id, NULL) == STATUS_OK
           && strcmp(sodium_bin2hex(digits, sizeof digits, chain_id, sizeof chain_id), owner) == 0;
}

enum status local_redis_look(const struct config *config, const char *audit_directory,
                             struct failure *failure)
{
    const struct redis_terms terms = {.url = LOCAL_REDIS_URL,
                                      .user = config->audit_redis_user,
                                      .password_file = config->audit_redis_password_file,
                                      .require_aof = config->audit_require_aof,
                                      .only_warns = true,
                                      .timeout_ms = LOOK_MS};
    struct redis_reader *reader = NULL;
    enum status status = redis_reader_open(&terms, config->audit_redis_prefix, &reader, failure);
    if (status == STATUS_NOT_FOUND) {
        return STATUS_OK; /* nobody's yet */
    }
    if (status == STATUS_OK && !is_owner(audit_directory, redis_reader_owner(reader))) {
        status = fail(failure, STATUS_FORBIDDEN,
                      "Redis on 127.0.0.1:6379 holds another server's "
                      "records under %.64s",
                      config->audit_redis_prefix);
    }
    redis_reader_close(reader);
    return status;
}
