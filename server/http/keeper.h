/* keeper.h - the one thread beside MHD's: accepts, notices at once when the client of a waiting
 * request goes away, cuts what is late, rereads keys four times a second and ends exchanges of
 * revoked ones. Also closes sockets gently whose client may still be sending. */
#pragma once
#include "server/http/http_private.h"

struct keeper;

/* Accepts on the server's listeners from now on. */
MUST_CHECK enum status keeper_start(struct http_server *server, struct failure *failure);

/* Ends all exchanges and waits for the thread. Then MHD's threads may still use the keeper until
 * they are joined; then destroy. NULL is fine for both. */
void keeper_stop(struct keeper *keeper);
void keeper_destroy(struct keeper *keeper);

/* Looks at the state of the server again: it drains. */
void keeper_poke(struct keeper *keeper);

/* I/O thread: from watch to unwatch the client's going away ends the exchange of handle. */
void keeper_watch(struct keeper *keeper, int fd, struct http_handle handle);
void keeper_unwatch(struct keeper *keeper, int fd);

/* I/O thread: MHD closes fd next. Reads on what the client still sends for a short time, so that
 * the kernel does not answer it with a reset, which would take our answer away from the client. */
void keeper_linger(struct keeper *keeper, int fd);
