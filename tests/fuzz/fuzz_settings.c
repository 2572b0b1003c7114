/* A settings file from bytes: refused with one line that names the file, or every value is in its
 * range. */
#include <string.h>

#include "base/assert.h"
#include "server/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct failure failure = {""};
    static struct config config;
    struct buffer text = {.limit_bytes = CONFIG_FILE_BYTES_MAX};
    config_set_defaults(&config);
    if (config_parse(&config, (const char *)bytes, length, "x.yaml", &failure) != STATUS_OK) {
        ASSERT(strncmp(failure.text, "x.yaml", 6) == 0 && !strchr(failure.text, '\n'));
        return 0;
    }
    ASSERT(config.server_port >= 0 && config.server_port <= 65535);
    ASSERT(config.audit_memory_mib >= 1 && config.audit_memory_mib <= 4096);
    ASSERT(config_write(&config, &text) == STATUS_OK);
    buffer_destroy(&text);
    return 0;
}
