/* Method: the limit is exact, a refused append changes nothing, and a failure's text is one clean
 * line whatever bytes went into it. */
#include <string.h>

#include "base/buffer.h"
#include "base/failure.h"
#include "tests/check.h"

static void the_limit_is_exact(void)
{
    struct buffer buffer = {.limit_bytes = 1000};
    for (int i = 0; i < 100; i++) {
        CHECK(buffer_append_text(&buffer, "0123456789") == STATUS_OK, "append %d", i);
    }
    CHECK(buffer_append(&buffer, "x", 1) == STATUS_TOO_LARGE, "one byte over");
    CHECK(buffer_format(&buffer, "%d", 1) == STATUS_TOO_LARGE, "formatted byte over");
    CHECK(buffer.length == 1000 && strlen(buffer.bytes) == 1000, "unchanged and terminated");
    buffer_clear(&buffer);
    CHECK(buffer_format(&buffer, "%s-%04d", "n", 7) == STATUS_OK, "format");
    CHECK(strcmp(buffer.bytes, "n-0007") == 0, "got %s", buffer.bytes);
    buffer_destroy(&buffer);
    CHECK(buffer_read_file(&buffer, "/nonexistent/x") == STATUS_NOT_FOUND, "missing file");
}

static void a_failure_is_one_clean_line(void)
{
    struct failure failure;
    CHECK(fail(&failure, STATUS_INVALID, "tensor %s", "a\nb\xff\x1b[0m\xc3\xa9") == STATUS_INVALID,
          "status passes through");
    CHECK(strcmp(failure.text, "tensor a?b??[0m\xc3\xa9") == 0, "got %s", failure.text);
    fail_prefix(&failure, "model.safetensors");
    CHECK(strncmp(failure.text, "model.safetensors: tensor", 25) == 0, "got %s", failure.text);
    CHECK(fail(NULL, STATUS_IO, "nobody listens") == STATUS_IO, "NULL is fine");
}

CHECK_MAIN(the_limit_is_exact, a_failure_is_one_clean_line)
