/* Method: make the files, read them back, let GnuTLS verify the chain for each promised name and
 * refuse another; a second call keeps them; broken files are refused by name. */
#include <gnutls/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "server/certificate.h"
#include "tests/check.h"

static bool verifies(const struct certificate_files *files, const char *name)
{
    struct buffer text = {.limit_bytes = CERTIFICATE_PEM_BYTES_MAX};
    CHECK(certificate_read(files->certificate, false, &text, NULL) == STATUS_OK, "read");
    gnutls_x509_trust_list_t trust;
    gnutls_x509_trust_list_init(&trust, 0);
    gnutls_x509_trust_list_add_trust_file(trust, files->ca, NULL, GNUTLS_X509_FMT_PEM, 0, 0);
    gnutls_x509_crt_t certificate;
    gnutls_x509_crt_init(&certificate);
    const gnutls_datum_t pem = {(unsigned char *)text.bytes, (unsigned)text.length};
    gnutls_x509_crt_import(certificate, &pem, GNUTLS_X509_FMT_PEM);
    unsigned verdict = 0;
    const int result = gnutls_x509_trust_list_verify_crt(trust, &certificate, 1, 0, &verdict, NULL);
    const bool is_good =
        result == 0 && verdict == 0 && gnutls_x509_crt_check_hostname(certificate, name) != 0;
    gnutls_x509_crt_deinit(certificate);
    gnutls_x509_trust_list_deinit(trust, 1);
    buffer_destroy(&text);
    return is_good;
}

static void the_chain_verifies_for_its_names(void)
{
    char directory[] = "/tmp/ward-certificate-XXXXXX";
    CHECK(mkdtemp(directory) != NULL, "temporary directory");
    struct certificate_files files;
    struct failure failure = {""};
    CHECK(certificate_ensure(directory, &files, &failure) == STATUS_OK, "%s", failure.text);
    CHECK(verifies(&files, "localhost"), "localhost");
    CHECK(verifies(&files, "127.0.0.1"), "127.0.0.1");
    CHECK(verifies(&files, "::1"), "::1");
    CHECK(!verifies(&files, "example.org"), "another name");

    struct buffer first = {.limit_bytes = CERTIFICATE_PEM_BYTES_MAX};
    struct buffer second = {.limit_bytes = CERTIFICATE_PEM_BYTES_MAX};
    CHECK(certificate_read(files.private_key, true, &first, &failure) == STATUS_OK, "key");
    CHECK(certificate_ensure(directory, &files, &failure) == STATUS_OK, "%s", failure.text);
    CHECK(certificate_read(files.private_key, true, &second, &failure) == STATUS_OK, "key");
    CHECK(strcmp(first.bytes, second.bytes) == 0, "a second call keeps the key");
    CHECK(certificate_read(files.ca, true, &second, &failure) == STATUS_INVALID, "not a key");
    CHECK(strstr(failure.text, files.ca) != NULL, "names the file: %s", failure.text);
    unlink(files.certificate);
    CHECK(certificate_ensure(directory, &files, &failure) == STATUS_OK, "%s", failure.text);
    CHECK(verifies(&files, "localhost"), "made again");
    buffer_destroy(&first);
    buffer_destroy(&second);
    unlink(files.ca);
    unlink(files.certificate);
    unlink(files.private_key);
    rmdir(directory);
}

CHECK_MAIN(the_chain_verifies_for_its_names)
