/* certificate.h - a private CA and a server certificate for `ward demo`: ECDSA P-256, made with
 * GnuTLS under a directory, kept there, made anew when they are about to expire. Not for
 * production: there the operator's own files are named in `tls`. */
#pragma once
#include <stdbool.h>

#include "base/buffer.h"
#include "base/failure.h"

enum { CERTIFICATE_PATH_BYTES = 1024, CERTIFICATE_PEM_BYTES_MAX = 1 << 20 };

struct certificate_files {
    char ca[CERTIFICATE_PATH_BYTES];          /* give this to clients */
    char certificate[CERTIFICATE_PATH_BYTES]; /* server certificate, then the CA's */
    char private_key[CERTIFICATE_PATH_BYTES]; /* 0600 */
};

/* Fills *out with files that are valid for localhost, 127.0.0.1, ::1 and this host's name for at
 * least a week. STATUS_IO: the directory cannot be written; failure names the file. */
MUST_CHECK enum status certificate_ensure(const char *directory, struct certificate_files *out,
                                          struct failure *failure);

/* Reads a PEM file and checks that GnuTLS understands it; is_key says which of the two it must be.
 * STATUS_INVALID, STATUS_NOT_FOUND, STATUS_IO: failure names the file. */
MUST_CHECK enum status certificate_read(const char *path, bool is_key, struct buffer *out,
                                        struct failure *failure);
