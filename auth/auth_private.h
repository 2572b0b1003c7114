/* auth_private.h - what auth.c and auth_admin.c share; nobody else includes it. */
#pragma once
#include <pthread.h>
#include <sys/stat.h>

#include "auth/auth.h"
#include "auth/limiter.h"
#include "auth/store.h"

enum { AUTH_PATH_BYTES = 4096, AUTH_PEPPER_BYTES = 32 };

#define AUTH_STORE_NAME "tenants.json"

struct auth {
    char directory[AUTH_PATH_BYTES];
    char store_path[AUTH_PATH_BYTES];
    unsigned char pepper[AUTH_PEPPER_BYTES];
    struct limiter *limiter;
    pthread_mutex_t refresh_lock; /* one refresh or change at a time in this process */
    struct stat loaded;           /* of the file that `store` was read from */
    pthread_rwlock_t store_lock;
    struct store *store; /* replaced whole */
};

/* The file that state_directory/name is; STATUS_INVALID when too long. */
MUST_CHECK enum status auth_private_path(const char *directory, const char *name,
                                         char out[AUTH_PATH_BYTES], struct failure *failure);

/* Rereads the file whatever stat says. The refresh lock must be held. */
MUST_CHECK enum status auth_private_reload(struct auth *auth, struct failure *failure);

void auth_private_hmac(const struct auth *auth, const char *text, size_t length,
                       unsigned char out[STORE_HMAC_BYTES]);
