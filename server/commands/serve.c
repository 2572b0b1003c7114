/* serve.c - `ward serve -c ward.yaml`: the server. */
#include <stdio.h>

#include "server/commands/commands.h"
#include "server/commands/options.h"
#include "server/server.h"
#include "server/state_directory.h"

static int run(const char *path, const char *device)
{
    struct config config;
    struct failure failure = {""};
    struct auth *auth = NULL;
    struct server *server = NULL;
    char state[STATE_DIRECTORY_BYTES];
    enum status status = config_load(&config, path, &failure);
    if (status == STATUS_OK && device) {
        status = config_set(&config, "engine.device", device, &failure);
    }
    if (status == STATUS_OK) {
        status = state_directory_find(config.state_dir, state, &failure);
    }
    if (status == STATUS_OK) {
        status = auth_open(state, &auth, &failure);
    }
    if (status == STATUS_OK) {
        status = server_start(&config, state, auth, &server, &failure);
    }
    if (status == STATUS_OK) {
        server_wait(server);
    }
    server_stop(server);
    auth_close(auth);
    return status == STATUS_OK ? 0 : options_failed(&failure);
}

int serve_main(int argc, char **argv)
{
    const char *path = NULL;
    const char *device = NULL;
    bool prints_reference = false;
    const struct option_row rows[] = {
        {.name = "config",
         .letter = 'c',
         .kind = OPTION_TEXT,
         .out = &path,
         .value = "FILE",
         .help = "settings (YAML), else $WARD_CONFIG; WARD_<SECTION>_<KEY> win over both"},
        {.name = "device",
         .kind = OPTION_DEVICE,
         .out = &device,
         .value = "D",
         .help = "instead of engine.device: auto, cpu or cuda"},
        {.name = "help-config",
         .kind = OPTION_FLAG,
         .out = &prints_reference,
         .help = "print every setting with default and range, as a file to edit"},
    };
    const struct options options = {
        .usage = "ward serve [-c FILE] [--device D]",
        .summary =
            "Serves the model that the configuration names until SIGTERM, then lets live requests\n"
            "finish. `ward tenant add` and `ward key create` work on a running server.",
        .rows = rows,
        .row_count = sizeof rows / sizeof rows[0],
    };
    const int code = options_read(&options, argc, argv, NULL);
    if (code != OPTIONS_READY) {
        return code;
    }
    if (prints_reference) {
        config_print_reference(stdout);
        return 0;
    }
    server_prepare_process();
    return run(path, device);
}
