/* waker.h - wakes exchanges for threads that begin before the front and end after it: a wake before
 * attach or after detach does nothing (an exchange that waits looks again each second by itself).
 * Any thread. Owner: whoever starts and stops the front. */
#pragma once
#include <pthread.h>

#include "server/http/http_server.h"

struct waker {
    pthread_mutex_t lock;
    struct http_server *http; /* NULL: none */
};

void waker_init(struct waker *waker);
void waker_destroy(struct waker *waker);
void waker_attach(struct waker *waker, struct http_server *http);
void waker_detach(struct waker *waker); /* no wake runs afterwards */

void waker_wake(void *context, uint64_t handle); /* as a callback; handle: of http_defer */
