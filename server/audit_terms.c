#include "server/audit_terms.h"

#include <string.h>

bool audit_terms_has_redis(const struct config *config)
{
    return config->audit_redis_url[0] != '\0' && strcmp(config->audit_redis_url, "none") != 0;
}

enum status audit_terms_redis(const struct config *config, struct redis_terms *out,
                              struct failure *failure)
{
    static const char *const unsafe[] = {"refuse", "warn"};
    size_t which = 0;
    const enum status status =
        config_choose("audit.redis_unsafe", config->audit_redis_unsafe, unsafe, 2, &which, failure);
    if (status != STATUS_OK) {
        return status;
    }
    *out = (struct redis_terms){.url = config->audit_redis_url,
                                .user = config->audit_redis_user,
                                .password_file = config->audit_redis_password_file,
                                .ca_file = config->audit_redis_ca_file,
                                .require_aof = config->audit_require_aof,
                                .only_warns = which == 1};
    return audit_terms_has_redis(config)
               ? STATUS_OK
               : fail(failure, STATUS_NOT_FOUND,
                      "audit.redis_url: is not set; name the Redis that `ward serve` writes to, or "
                      "its configuration with -c");
}
