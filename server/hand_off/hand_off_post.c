#include "server/hand_off/hand_off_post.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "server/json/json_text.h"

enum { BODY_BYTES_MAX = 2048, HEADER_BYTES = 256, SIGNATURE_TEXT_BYTES = 64 };

static const char secret_prefix[] = "whsec_"; /* base64 follows, as the standard has it */

bool hand_off_post_takes(const char *url)
{
    static const char *const beginnings[] = {
        "https://",          "http://127.0.0.1:", "http://127.0.0.1/",
        "http://localhost:", "http://localhost/", "http://[::1]:"};
    for (size_t i = 0; i < sizeof beginnings / sizeof beginnings[0]; i++) {
        if (strncmp(url, beginnings[i], strlen(beginnings[i])) == 0) {
            return true;
        }
    }
    return false;
}

static void write_member(struct json_text *json, const char *name, const char *text)
{
    json_text_raw(json, name);
    json_text_string(json, text, strlen(text));
}

enum status hand_off_post_body(const struct hand_off_event *event, struct buffer *out)
{
    char seen[32];
    struct tm parts;
    const time_t seconds = (time_t)event->unix_s;
    struct json_text json = {.out = out};
    gmtime_r(&seconds, &parts);
    strftime(seen, sizeof seen, "%Y-%m-%dT%H:%M:%SZ", &parts);
    write_member(&json, "{\"type\":\"crisis\",\"timestamp\":", seen);
    write_member(&json, ",\"data\":{\"tenant\":", event->tenant_name);
    write_member(&json, ",\"request_id\":", event->request_id);
    write_member(&json, ",\"kind\":", crisis_kind_name(event->kind));
    write_member(&json, ",\"grade\":", crisis_grade_name(event->grade));
    write_member(&json, ",\"subject\":", event->subject == CRISIS_SELF ? "self" : "other");
    json_text_raw(&json, "}}");
    return json.status;
}

/* ---- signature ------------------------------------------------------------------------------- */

/* The file holds whsec_ and base64, or the secret's bytes as they are. */
static enum status read_secret(const char *path, unsigned char out[HAND_OFF_SECRET_BYTES_MAX],
                               size_t *length, struct failure *failure)
{
    struct buffer file = {.limit_bytes = HAND_OFF_SECRET_BYTES_MAX};
    enum status status = path[0] != '\0' ? buffer_read_file(&file, path) : STATUS_NOT_FOUND;
    if (status != STATUS_OK) {
        buffer_destroy(&file);
        return fail(failure, status, "webhook.secret_file: %.128s: %s", path, status_text(status));
    }
    while (file.length > 0 && strchr("\r\n", file.bytes[file.length - 1])) {
        file.length--;
    }
    const size_t skipped = sizeof secret_prefix - 1;
    const bool is_encoded =
        file.length > skipped && memcmp(file.bytes, secret_prefix, skipped) == 0;
    *length = file.length;
    if (is_encoded
        && sodium_base642bin(out, HAND_OFF_SECRET_BYTES_MAX, file.bytes + skipped,
                             file.length - skipped, NULL, length, NULL,
                             sodium_base64_VARIANT_ORIGINAL)
               != 0) {
        status = STATUS_INVALID;
    } else if (!is_encoded && file.length > 0) {
        memcpy(out, file.bytes, file.length);
    }
    buffer_destroy(&file);
    return status == STATUS_OK && *length > 0
               ? STATUS_OK
               : fail(failure, STATUS_INVALID,
                      "webhook.secret_file: %.128s: must hold a secret: text, or whsec_ and "
                      "base64",
                      path);
}

static void sign(const unsigned char *secret, size_t secret_bytes, const char *signed_text,
                 const struct buffer *body, char out[SIGNATURE_TEXT_BYTES])
{
    crypto_auth_hmacsha256_state state;
    unsigned char mac[crypto_auth_hmacsha256_BYTES];
    crypto_auth_hmacsha256_init(&state, secret, secret_bytes);
    crypto_auth_hmacsha256_update(&state, (const unsigned char *)signed_text, strlen(signed_text));
    crypto_auth_hmacsha256_update(&state, (const unsigned char *)body->bytes, body->length);
    crypto_auth_hmacsha256_final(&state, mac);
    sodium_bin2base64(out, SIGNATURE_TEXT_BYTES, mac, sizeof mac, sodium_base64_VARIANT_ORIGINAL);
    sodium_memzero(&state, sizeof state);
}

static enum status make_headers(const struct rules *rules, const struct hand_off_event *event,
                                int64_t now_unix_s, const struct buffer *body,
                                struct curl_slist **out, struct failure *failure)
{
    unsigned char secret[HAND_OFF_SECRET_BYTES_MAX];
    char signed_text[HEADER_BYTES], signature[SIGNATURE_TEXT_BYTES], lines[3][HEADER_BYTES];
    size_t secret_bytes = 0;
    const enum status status =
        read_secret(rules->webhook_secret_file, secret, &secret_bytes, failure);
    if (status != STATUS_OK) {
        return status;
    }
    snprintf(signed_text, sizeof signed_text, "%s.%lld.", event->id, (long long)now_unix_s);
    sign(secret, secret_bytes, signed_text, body, signature);
    sodium_memzero(secret, sizeof secret);
    snprintf(lines[0], sizeof lines[0], "webhook-id: %s", event->id);
    snprintf(lines[1], sizeof lines[1], "webhook-timestamp: %lld", (long long)now_unix_s);
    snprintf(lines[2], sizeof lines[2], "webhook-signature: v1,%s", signature);
    *out = curl_slist_append(NULL, "content-type: application/json");
    for (size_t i = 0; i < 3 && *out; i++) {
        struct curl_slist *longer = curl_slist_append(*out, lines[i]);
        if (!longer) {
            curl_slist_free_all(*out);
        }
        *out = longer;
    }
    return *out ? STATUS_OK : fail(failure, STATUS_IO, "no memory for the webhook's headers");
}

/* ---- sending --------------------------------------------------------------------------------- */

static size_t drop(const char *bytes, size_t size, size_t count, void *context)
{
    (void)bytes;
    (void)context;
    return size * count;
}

static int is_to_end(void *context, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
    (void)a;
    (void)b;
    (void)c;
    (void)d;
    return atomic_load((const atomic_bool *)context);
}

static enum status post(CURL *curl, const char *url, const struct buffer *body,
                        struct curl_slist *headers, const atomic_bool *is_stopping)
{
    curl_easy_reset(curl);
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, (long)body->length);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body->bytes);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)HAND_OFF_TIMEOUT_MS);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, drop);
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, is_to_end);
    curl_easy_setopt(curl, CURLOPT_XFERINFODATA, (void *)(uintptr_t)is_stopping);
    return curl_easy_perform(curl) == CURLE_OK ? STATUS_OK : STATUS_UNAVAILABLE;
}

enum status hand_off_post_send(CURL *curl, const struct rules *rules,
                               const struct hand_off_event *event, int64_t now_unix_s,
                               const atomic_bool *is_stopping, struct failure *failure)
{
    struct buffer body = {.limit_bytes = BODY_BYTES_MAX};
    struct curl_slist *headers = NULL;
    long code = 0;
    if (!hand_off_post_takes(rules->webhook_url)) {
        return fail(failure, STATUS_INVALID, "webhook.url: must begin with https://");
    }
    enum status status = hand_off_post_body(event, &body);
    if (status == STATUS_OK) {
        status = make_headers(rules, event, now_unix_s, &body, &headers, failure);
    }
    if (status == STATUS_OK) {
        status = post(curl, rules->webhook_url, &body, headers, is_stopping);
        curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &code);
        if (status != STATUS_OK) {
            fail(failure, status, "the webhook cannot be reached");
        } else if (code < 200 || code > 299) {
            status = fail(failure, STATUS_UNAVAILABLE, "the webhook answered %ld", code);
        }
    }
    curl_slist_free_all(headers);
    buffer_destroy(&body);
    return status;
}
