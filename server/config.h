/* config.h - the settings of config.def from defaults, one YAML file and the environment, in that
 * order. An unknown key, a wrong type or a value out of range is refused with file, line and what
 * is allowed. Read-only after load; a plain value. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/buffer.h"
#include "base/failure.h"

enum { CONFIG_TEXT_BYTES = 1024, CONFIG_FILE_BYTES_MAX = 1 << 20 };

/* clang-format off */
struct config {
#define CONFIG_TEXT(section, key, preset, help) char section##_##key[CONFIG_TEXT_BYTES];
#define CONFIG_INTEGER(section, key, preset, min, max, help) int64_t section##_##key;
#define CONFIG_FRACTION(section, key, preset, min, max, help) double section##_##key;
#define CONFIG_FLAG(section, key, preset, help) bool section##_##key;
#include "server/config.def"
};
/* clang-format on */

void config_set_defaults(struct config *config);

/* Sets one value by its full name ("server.port"); a refused one leaves the config as it was.
 * STATUS_NOT_FOUND: no such setting. STATUS_INVALID: type or range, which failure names. */
MUST_CHECK enum status config_set(struct config *config, const char *name, const char *text,
                                  struct failure *failure);

/* Sets what WARD_<SECTION>_<KEY> say; an empty variable counts as unset. */
MUST_CHECK enum status config_read_environment(struct config *config, struct failure *failure);

/* Defaults, then the file (NULL: the one that WARD_CONFIG names, if it is set), then the
 * environment. */
MUST_CHECK enum status config_load(struct config *config, const char *path,
                                   struct failure *failure);

/* The same from YAML text; name is what errors call it. For tests and fuzzing. */
MUST_CHECK enum status config_parse(struct config *config, const char *yaml, size_t length,
                                    const char *name, struct failure *failure);

/* Which of the words a text setting is. STATUS_INVALID: none of them; failure lists them. */
MUST_CHECK enum status config_choose(const char *name, const char *text, const char *const *words,
                                     size_t word_count, size_t *out, struct failure *failure);

/* Every setting with its value in one spelling, `section.key=BYTES:VALUE` a line: equal texts mean
 * equal settings. Secrets are in files, so none is in it. */
MUST_CHECK enum status config_write(const struct config *config, struct buffer *out);

/* One commented YAML document with every setting, its default and range: `ward serve
 * --help-config`. */
void config_print_reference(FILE *out);
