/* Method: one row per way to set a value; a rejected row must leave the config as it was. Then
 * whole files: what is refused names the line. */
#include <stdlib.h>
#include <string.h>

#include "server/config.h"
#include "tests/check.h"

static const struct {
    const char *name, *text;
    enum status want;
} cases[] = {
    {"server.port", "1", STATUS_OK},
    {"server.port", "65535", STATUS_OK},
    {"server.port", "65536", STATUS_INVALID},
    {"server.port", "-1", STATUS_INVALID},
    {"server.port", "", STATUS_INVALID},
    {"server.port", "80x", STATUS_INVALID},
    {"server.port", " 80", STATUS_INVALID},
    {"server.port", "0x50", STATUS_INVALID},
    {"server.port", "99999999999999999999", STATUS_INVALID},
    {"gpu.memory_fraction", "0.85", STATUS_OK},
    {"gpu.memory_fraction", "1", STATUS_OK},
    {"gpu.memory_fraction", "1.01", STATUS_INVALID},
    {"gpu.memory_fraction", "0", STATUS_INVALID},
    {"gpu.memory_fraction", "-0.5", STATUS_INVALID},
    {"gpu.memory_fraction", "90%", STATUS_INVALID},
    {"gpu.memory_fraction", "", STATUS_INVALID},
    {"gpu.memory_fraction", "nan", STATUS_INVALID},
    {"gpu.memory_fraction", "1e-1", STATUS_INVALID},
    {"gpu.memory_fraction", "0.5.1", STATUS_INVALID},
    {"audit.require_aof", "true", STATUS_OK},
    {"audit.require_aof", "false", STATUS_OK},
    {"audit.require_aof", "", STATUS_INVALID},
    {"audit.require_aof", "yes", STATUS_INVALID},
    {"audit.require_aof", "True", STATUS_INVALID},
    {"audit.require_aof", "1", STATUS_INVALID},
    {"audit.memory_mib", "0", STATUS_INVALID},
    {"server.no_such_setting", "1", STATUS_NOT_FOUND},
    {"port", "1", STATUS_NOT_FOUND},
};

static void every_case_gives_its_status(void)
{
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct config config;
        config_set_defaults(&config);
        struct failure failure = {""};
        const enum status got = config_set(&config, cases[i].name, cases[i].text, &failure);
        CHECK(got == cases[i].want, "case %zu: %s=%s", i, cases[i].name, cases[i].text);
        CHECK(got == STATUS_OK || config.server_port == 8443, "case %zu changed the config", i);
        CHECK(got == STATUS_OK || strstr(failure.text, cases[i].name), "case %zu: no name", i);
    }
}

static const struct {
    const char *yaml;
    enum status want;
    const char *says; /* part of the error */
} files[] = {
    {"", STATUS_OK, ""},
    {"# only a comment\n", STATUS_OK, ""},
    {"server:\n  port: 9443\nlog: {level: debug}\n", STATUS_OK, ""},
    {"server:\n", STATUS_OK, ""},
    {"server:\n  port: 9443\n  prot: 1\n", STATUS_INVALID, "x.yaml:3: server.prot"},
    {"server:\n  port: 70000\n", STATUS_INVALID, "x.yaml:2: server.port: must be a whole number"},
    {"\n\nserevr:\n  port: 1\n", STATUS_INVALID, "x.yaml:3: no such section"},
    {"server: 5\n", STATUS_INVALID, "x.yaml:1: a section must be a mapping"},
    {"server:\n  port: [1]\n", STATUS_INVALID, "x.yaml:2: a setting's value"},
    {"server:\n  port: 1\n  port: 2\n", STATUS_INVALID, "x.yaml:3: this setting stands twice"},
    {"- a\n", STATUS_INVALID, "must be a mapping of sections"},
    {"server: {port: 1\n", STATUS_INVALID, "not valid YAML"},
    {"server:\n\tport: 1\n", STATUS_INVALID, "x.yaml:2: not valid YAML"},
    {"audit: {require_aof: false, redis_url: \"\"}\n", STATUS_OK, ""},
    {"audit:\n  require_aof: no\n", STATUS_INVALID,
     "x.yaml:2: audit.require_aof: must be true or false"},
    {"server: &a {port: 1}\nlog: *a\n", STATUS_INVALID, "x.yaml:2: a section must be a mapping"},
};

static void every_file_gives_its_status(void)
{
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        struct config config;
        config_set_defaults(&config);
        struct failure failure = {""};
        const enum status got =
            config_parse(&config, files[i].yaml, strlen(files[i].yaml), "x.yaml", &failure);
        CHECK(got == files[i].want, "file %zu: %s", i, failure.text);
        CHECK(strstr(failure.text, files[i].says) != NULL, "file %zu says %s", i, failure.text);
    }
    struct config config;
    config_set_defaults(&config);
    const char *yaml = files[2].yaml;
    CHECK(config_parse(&config, yaml, strlen(yaml), "x", NULL) == STATUS_OK, "good file");
    CHECK(config.server_port == 9443 && strcmp(config.log_level, "debug") == 0, "values are set");
}

static void the_environment_wins(void)
{
    struct config config;
    struct failure failure = {""};
    setenv("WARD_SERVER_ADMIN_PORT", "7001", 1);
    CHECK(config_load(&config, NULL, &failure) == STATUS_OK, "%s", failure.text);
    CHECK(config.server_admin_port == 7001, "got %lld", (long long)config.server_admin_port);
    setenv("WARD_SERVER_ADMIN_PORT", "7001x", 1);
    CHECK(config_load(&config, NULL, &failure) == STATUS_INVALID, "bad value is refused");
    CHECK(strstr(failure.text, "WARD_SERVER_ADMIN_PORT") != NULL, "says %s", failure.text);
    unsetenv("WARD_SERVER_ADMIN_PORT");
    setenv("WARD_SERVER_PROT", "1", 1);
    CHECK(config_load(&config, NULL, &failure) == STATUS_INVALID, "a misspelt name is refused");
    CHECK(strstr(failure.text, "WARD_SERVER_PROT: no such") != NULL, "says %s", failure.text);
    unsetenv("WARD_SERVER_PROT");
    CHECK(config_load(&config, NULL, &failure) == STATUS_OK && config.audit_require_aof, "default");
    setenv("WARD_AUDIT_REQUIRE_AOF", "false", 1);
    CHECK(config_load(&config, NULL, &failure) == STATUS_OK && !config.audit_require_aof, "false");
    unsetenv("WARD_AUDIT_REQUIRE_AOF");
}

static void a_word_is_one_of_those_allowed(void)
{
    static const char *const words[] = {"refuse", "warn", "ask"};
    struct failure failure = {""};
    size_t which = 9;
    CHECK(config_choose("a.b", "warn", words, 3, &which, &failure) == STATUS_OK && which == 1,
          "warn is %zu", which);
    CHECK(config_choose("a.b", "Warn", words, 3, &which, &failure) == STATUS_INVALID, "Warn");
    CHECK(strcmp(failure.text, "a.b: must be refuse, warn or ask") == 0, "says %s", failure.text);
}

/* Two configurations have the same text exactly when they are the same. */
static void the_canonical_text_holds_every_setting(void)
{
    static const char *const changes[][2] = {{"server.port", "1"},
                                             {"gpu.memory_fraction", "0.7"},
                                             {"audit.require_aof", "false"},
                                             {"audit.redis_url", "x\naudit.redis_user=0:"}};
    struct config config;
    struct buffer defaults = {.limit_bytes = CONFIG_FILE_BYTES_MAX};
    config_set_defaults(&config);
    CHECK(config_write(&config, &defaults) == STATUS_OK, "not written");
    CHECK(strstr(defaults.bytes, "\naudit.on_failure=6:refuse\n"), "%s", defaults.bytes);
    CHECK(strstr(defaults.bytes, "\naudit.require_aof=4:true\n"), "%s", defaults.bytes);
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        struct buffer text = {.limit_bytes = CONFIG_FILE_BYTES_MAX};
        config_set_defaults(&config);
        CHECK(config_set(&config, changes[i][0], changes[i][1], NULL) == STATUS_OK, "%zu", i);
        CHECK(config_write(&config, &text) == STATUS_OK, "not written");
        CHECK(strcmp(text.bytes, defaults.bytes) != 0, "%s is not in it", changes[i][0]);
        buffer_destroy(&text);
    }
    buffer_destroy(&defaults);
}

/* The printed reference is a valid file that sets every default. */
static void the_reference_reads_back(void)
{
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    config_print_reference(out);
    fclose(out);
    struct config defaults, config;
    config_set_defaults(&defaults);
    memset(&config, 0, sizeof config);
    struct failure failure = {""};
    CHECK(config_parse(&config, text, length, "reference", &failure) == STATUS_OK, "%s",
          failure.text);
    CHECK(memcmp(&config, &defaults, sizeof config) == 0, "reference differs from the defaults");
    free(text);
}

CHECK_MAIN(every_case_gives_its_status, every_file_gives_its_status, the_environment_wins,
           the_reference_reads_back, a_word_is_one_of_those_allowed,
           the_canonical_text_holds_every_setting)
