/* connection.h - a socket from accept to close: its guard sees every byte before MHD does, by
 * functions of ours in place of gnutls_record_recv() and recv(); its deadline follows the guard. */
#pragma once
#include "server/http/http_private.h"

/* False: the dynamic linker does not call our functions; nothing may be served then. */
bool connection_can_guard(void);

/* MHD_OPTION_NOTIFY_CONNECTION; context is the struct listener. */
void connection_notify(void *context, struct MHD_Connection *mhd, void **socket_context,
                       enum MHD_ConnectionNotificationCode code);

/* NULL: it is not served, as no place was free. */
struct connection *connection_of(struct MHD_Connection *mhd);

/* Cut when so much time passes from now on; 0: no deadline. */
void connection_set_deadline(struct connection *connection, uint32_t after_ms);
