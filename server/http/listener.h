/* listener.h - one listening socket and the MHD daemon behind it. The keeper accepts. */
#pragma once
#include "server/http/http_private.h"

/* STATUS_IO: the port is taken. STATUS_INVALID: address or certificate. failure says which. */
MUST_CHECK enum status listener_start(struct http_server *server, enum http_listener which,
                                      struct failure *failure);
void listener_stop(struct listener *listener);
