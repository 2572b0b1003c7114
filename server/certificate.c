#include "server/certificate.h"

#include <errno.h>
#include <fcntl.h>
#include <gnutls/crypto.h>
#include <gnutls/x509.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { VALID_S = 397 * 86400, RENEW_S = 7 * 86400, SERIAL_BYTES = 16, HOST_BYTES = 256 };

static enum status tls_failed(struct failure *failure, const char *what, int result)
{
    return fail(failure, STATUS_IO, "making the demo certificate: %s: %s", what,
                gnutls_strerror(result));
}

/* ---- files ---------------------------------------------------------------------------------- */

static enum status write_file(const char *path, const unsigned char *bytes, size_t length,
                              mode_t mode, struct failure *failure)
{
    char draft[CERTIFICATE_PATH_BYTES + 8];
    snprintf(draft, sizeof draft, "%s.new", path);
    const int fd = open(draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
    if (fd < 0) {
        return fail(failure, STATUS_IO, "%s: cannot be written: %s", draft, strerror(errno));
    }
    const ssize_t written = write(fd, bytes, length);
    const bool is_written = written == (ssize_t)length && fsync(fd) == 0;
    close(fd);
    if (!is_written || rename(draft, path) != 0) {
        unlink(draft);
        return fail(failure, STATUS_IO, "%s: cannot be written: %s", path, strerror(errno));
    }
    return STATUS_OK;
}

static enum status write_certificates(const char *path, const gnutls_x509_crt_t *certificates,
                                      size_t count, struct failure *failure)
{
    struct buffer text = {.limit_bytes = CERTIFICATE_PEM_BYTES_MAX};
    enum status status = STATUS_OK;
    for (size_t i = 0; i < count && status == STATUS_OK; i++) {
        gnutls_datum_t pem = {NULL, 0};
        const int result = gnutls_x509_crt_export2(certificates[i], GNUTLS_X509_FMT_PEM, &pem);
        status = result == 0 ? buffer_append(&text, (const char *)pem.data, pem.size)
                             : tls_failed(failure, "export", result);
        gnutls_free(pem.data);
    }
    if (status == STATUS_OK) {
        status = write_file(path, (const unsigned char *)text.bytes, text.length, 0644, failure);
    }
    buffer_destroy(&text);
    return status;
}

static enum status write_key(const char *path, gnutls_x509_privkey_t key, struct failure *failure)
{
    gnutls_datum_t pem = {NULL, 0};
    const int result =
        gnutls_x509_privkey_export2_pkcs8(key, GNUTLS_X509_FMT_PEM, NULL, GNUTLS_PKCS_PLAIN, &pem);
    if (result != 0) {
        return tls_failed(failure, "export of the key", result);
    }
    const enum status status = write_file(path, pem.data, pem.size, 0600, failure);
    gnutls_memset(pem.data, 0, pem.size);
    gnutls_free(pem.data);
    return status;
}

enum status certificate_read(const char *path, bool is_key, struct buffer *out,
                             struct failure *failure)
{
    buffer_clear(out);
    const enum status status = buffer_read_file(out, path);
    if (status != STATUS_OK) {
        return fail(failure, status, "%s: cannot be read: %s", path, status_text(status));
    }
    const gnutls_datum_t pem = {(unsigned char *)out->bytes, (unsigned)out->length};
    int result = 0;
    if (is_key) {
        gnutls_x509_privkey_t key;
        gnutls_x509_privkey_init(&key);
        result = gnutls_x509_privkey_import2(key, &pem, GNUTLS_X509_FMT_PEM, NULL, 0);
        gnutls_x509_privkey_deinit(key);
    } else {
        gnutls_x509_crt_t certificate;
        gnutls_x509_crt_init(&certificate);
        result = gnutls_x509_crt_import(certificate, &pem, GNUTLS_X509_FMT_PEM);
        gnutls_x509_crt_deinit(certificate);
    }
    if (result != 0) {
        return fail(failure, STATUS_INVALID, "%s: is not a PEM %s: %s", path,
                    is_key ? "private key" : "certificate", gnutls_strerror(result));
    }
    return STATUS_OK;
}

/* ---- making --------------------------------------------------------------------------------- */

/* What the CA's and the server's certificate have in common. 0 or GnuTLS's error. */
static int fill(gnutls_x509_crt_t certificate, gnutls_x509_privkey_t key, const char *name)
{
    unsigned char serial[SERIAL_BYTES];
    const time_t now = time(NULL);
    int result = gnutls_rnd(GNUTLS_RND_NONCE, serial, sizeof serial);
    serial[0] = (serial[0] & 0x7fU) | 0x40U; /* positive, and of full length */
    result = result ? result : gnutls_x509_crt_set_version(certificate, 3);
    result = result ? result : gnutls_x509_crt_set_serial(certificate, serial, sizeof serial);
    result = result ? result : gnutls_x509_crt_set_activation_time(certificate, now - 3600);
    result = result ? result : gnutls_x509_crt_set_expiration_time(certificate, now + VALID_S);
    result = result ? result : gnutls_x509_crt_set_key(certificate, key);
    result = result ? result
                    : gnutls_x509_crt_set_dn_by_oid(certificate, GNUTLS_OID_X520_COMMON_NAME, 0,
                                                    name, (unsigned)strlen(name));
    unsigned char id[64];
    size_t id_bytes = sizeof id;
    result = result ? result : gnutls_x509_crt_get_key_id(certificate, 0, id, &id_bytes);
    return result ? result : gnutls_x509_crt_set_subject_key_id(certificate, id, id_bytes);
}

static int make_authority(gnutls_x509_crt_t authority, gnutls_x509_privkey_t key)
{
    int result = fill(authority, key, "Ward demo CA");
    result = result ? result : gnutls_x509_crt_set_basic_constraints(authority, 1, 0);
    result = result ? result
                    : gnutls_x509_crt_set_key_usage(authority,
                                                    GNUTLS_KEY_KEY_CERT_SIGN | GNUTLS_KEY_CRL_SIGN);
    return result ? result : gnutls_x509_crt_sign2(authority, authority, key, GNUTLS_DIG_SHA256, 0);
}

static int add_names(gnutls_x509_crt_t certificate)
{
    static const unsigned char loopback4[4] = {127, 0, 0, 1};
    static const unsigned char loopback6[16] = {[15] = 1};
    char host[HOST_BYTES] = "";
    gethostname(host, sizeof host - 1);
    const struct {
        gnutls_x509_subject_alt_name_t type;
        const void *data;
        size_t bytes;
    } names[] = {
        {GNUTLS_SAN_DNSNAME, "localhost", strlen("localhost")},
        {GNUTLS_SAN_IPADDRESS, loopback4, sizeof loopback4},
        {GNUTLS_SAN_IPADDRESS, loopback6, sizeof loopback6},
        {GNUTLS_SAN_DNSNAME, host, strlen(host)},
    };
    int result = 0;
    for (size_t i = 0; i < sizeof names / sizeof names[0] && result == 0; i++) {
        if (names[i].bytes > 0) {
            result =
                gnutls_x509_crt_set_subject_alt_name(certificate, names[i].type, names[i].data,
                                                     (unsigned)names[i].bytes, GNUTLS_FSAN_APPEND);
        }
    }
    return result;
}

static int make_server(gnutls_x509_crt_t certificate, gnutls_x509_privkey_t key,
                       gnutls_x509_crt_t authority, gnutls_x509_privkey_t authority_key)
{
    int result = fill(certificate, key, "localhost");
    unsigned char id[64];
    size_t id_bytes = sizeof id;
    result = result ? result : gnutls_x509_crt_get_subject_key_id(authority, id, &id_bytes, NULL);
    result = result ? result : gnutls_x509_crt_set_authority_key_id(certificate, id, id_bytes);
    result = result ? result : gnutls_x509_crt_set_basic_constraints(certificate, 0, -1);
    result =
        result ? result : gnutls_x509_crt_set_key_usage(certificate, GNUTLS_KEY_DIGITAL_SIGNATURE);
    result = result ? result
                    : gnutls_x509_crt_set_key_purpose_oid(certificate, GNUTLS_KP_TLS_WWW_SERVER, 0);
    result = result ? result : add_names(certificate);
    return result
               ? result
               : gnutls_x509_crt_sign2(certificate, authority, authority_key, GNUTLS_DIG_SHA256, 0);
}

/* The CA's private key is never written: a new CA is made whenever a certificate is. */
static enum status make(const struct certificate_files *files, struct failure *failure)
{
    gnutls_x509_crt_t certificates[2]; /* server, CA */
    gnutls_x509_privkey_t keys[2];
    for (int i = 0; i < 2; i++) {
        gnutls_x509_crt_init(&certificates[i]);
        gnutls_x509_privkey_init(&keys[i]);
    }
    const unsigned bits = GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1);
    int result = gnutls_x509_privkey_generate(keys[0], GNUTLS_PK_ECDSA, bits, 0);
    result = result ? result : gnutls_x509_privkey_generate(keys[1], GNUTLS_PK_ECDSA, bits, 0);
    result = result ? result : make_authority(certificates[1], keys[1]);
    result = result ? result : make_server(certificates[0], keys[0], certificates[1], keys[1]);
    enum status status = result ? tls_failed(failure, "GnuTLS", result) : STATUS_OK;
    if (status == STATUS_OK) {
        status = write_key(files->private_key, keys[0], failure);
    }
    if (status == STATUS_OK) {
        status = write_certificates(files->certificate, certificates, 2, failure);
    }
    if (status == STATUS_OK) {
        status = write_certificates(files->ca, certificates + 1, 1, failure);
    }
    for (int i = 0; i < 2; i++) {
        gnutls_x509_crt_deinit(certificates[i]);
        gnutls_x509_privkey_deinit(keys[i]);
    }
    return status;
}

/* All three files are there and the certificate has a while to live. */
static bool is_usable(const struct certificate_files *files)
{
    struct buffer text = {.limit_bytes = CERTIFICATE_PEM_BYTES_MAX};
    bool usable = false;
    if (access(files->ca, R_OK) == 0 && access(files->private_key, R_OK) == 0
        && buffer_read_file(&text, files->certificate) == STATUS_OK) {
        gnutls_x509_crt_t certificate;
        gnutls_x509_crt_init(&certificate);
        const gnutls_datum_t pem = {(unsigned char *)text.bytes, (unsigned)text.length};
        usable = gnutls_x509_crt_import(certificate, &pem, GNUTLS_X509_FMT_PEM) == 0
                 && gnutls_x509_crt_get_expiration_time(certificate) > time(NULL) + RENEW_S;
        gnutls_x509_crt_deinit(certificate);
    }
    buffer_destroy(&text);
    return usable;
}

enum status certificate_ensure(const char *directory, struct certificate_files *out,
                               struct failure *failure)
{
    if (strlen(directory) + 32 > CERTIFICATE_PATH_BYTES) {
        return fail(failure, STATUS_INVALID, "%s: the path is too long", directory);
    }
    if (mkdir(directory, 0700) != 0 && errno != EEXIST) {
        return fail(failure, STATUS_IO, "%s: cannot be made: %s", directory, strerror(errno));
    }
    snprintf(out->ca, sizeof out->ca, "%.900s/ca.pem", directory);
    snprintf(out->certificate, sizeof out->certificate, "%.900s/server.pem", directory);
    snprintf(out->private_key, sizeof out->private_key, "%.900s/server.key", directory);
    return is_usable(out) ? STATUS_OK : make(out, failure);
}
