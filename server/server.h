/* server.h - the whole server from a configuration: opens every part in order, waits for a signal,
 * takes it down in reverse. The main thread calls all of it; one server a process. */
#pragma once
#include <stdint.h>

#include "auth/auth.h"
#include "base/failure.h"
#include "server/config.h"

struct server;

/* Process-wide settings that must stand before any thread: signals blocked, SIGPIPE ignored, core
 * dumps off (they would hold prompts). */
void server_prepare_process(void);

/* Returns when requests are answered (/readyz is true). config and auth are borrowed; the audit log
 * is under state_directory. Every problem is one line in failure. */
MUST_CHECK enum status server_start(const struct config *config, const char *state_directory,
                                    struct auth *auth, struct server **out,
                                    struct failure *failure);

uint16_t server_port(const struct server *server);
uint16_t server_admin_port(const struct server *server);
const char *server_model_name(const struct server *server);

/* Waits for SIGTERM or SIGINT, then lets live requests finish within drain_ms. A second signal ends
 * the process at once. */
void server_wait(struct server *server);
void server_stop(struct server *server); /* NULL is fine */

/* The warning about a libmicrohttpd with known holes, or NULL. */
const char *server_library_warning(void);
