/* directory.h - the audit directory: its paths, its keys, and the lock of its one writer. Keys lie
 * in locked memory (where it cannot be locked, that is logged), cleared when they are let go. A
 * directory that is missing is made (0700), keys likewise (0600, synced, of two first starts one
 * wins). */
#pragma once
#include "audit/chain/checkpoint.h"
#include "base/failure.h"
#include "base/ids.h"

enum { DIRECTORY_PATH_BYTES = 4096 };

/* directory/name or directory/part/name; name may be NULL. STATUS_INVALID: too long. */
MUST_CHECK enum status directory_path(const char *directory, const char *part, const char *name,
                                      char out[DIRECTORY_PATH_BYTES], struct failure *failure);

struct directory_keys {
    uint8_t public_key[CHECKPOINT_KEY_BYTES]; /* the chain's id */
    uint8_t secret[CHECKPOINT_SECRET_BYTES];
    uint8_t digest_root[DIGEST_BYTES];
};

/* For the writer: makes what is missing, takes the lock. STATUS_FULL: another process has it. When
 * the keys are made anew, officer.key and chain.state with the first epoch key are made too;
 * *is_new. STATUS_INVALID: some keys are there and others not, or do not belong together: they are
 * never made anew beside others, for a chain with another key is another chain. */
MUST_CHECK enum status directory_open(const char *directory, struct directory_keys **keys,
                                      int *lock_fd, bool *is_new, struct failure *failure);
void directory_close(struct directory_keys *keys, int lock_fd); /* NULL, -1 are fine */

/* For readers. STATUS_NOT_FOUND: there is no audit log at that place; failure says what to do. */
MUST_CHECK enum status directory_read_public_key(const char *directory,
                                                 uint8_t out[CHECKPOINT_KEY_BYTES],
                                                 struct failure *failure);
/* A file with a key of 32 bytes in hexadecimal (signing.pub, officer.key), comments after '#'. */
MUST_CHECK enum status directory_read_key_file(const char *path, uint8_t out[DIGEST_BYTES],
                                               struct failure *failure);
MUST_CHECK enum status directory_read_digest_root(const char *directory, uint8_t out[DIGEST_BYTES],
                                                  struct failure *failure);

bool directory_has_officer_key(const char *directory);
bool directory_is_written(const char *directory); /* some process holds the lock */

/* Key of a tenant's digests: HMAC(digest_root, "tenant" | id u32). */
void directory_tenant_key(const uint8_t digest_root[DIGEST_BYTES], struct tenant_id tenant,
                          uint8_t out[DIGEST_BYTES]);
