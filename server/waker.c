#include "server/waker.h"

void waker_init(struct waker *waker)
{
    pthread_mutex_init(&waker->lock, NULL);
    waker->http = NULL;
}

void waker_destroy(struct waker *waker)
{
    pthread_mutex_destroy(&waker->lock);
}

void waker_attach(struct waker *waker, struct http_server *http)
{
    pthread_mutex_lock(&waker->lock);
    waker->http = http;
    pthread_mutex_unlock(&waker->lock);
}

void waker_detach(struct waker *waker)
{
    waker_attach(waker, NULL);
}

void waker_wake(void *context, uint64_t handle)
{
    struct waker *waker = context;
    pthread_mutex_lock(&waker->lock);
    if (waker->http) {
        http_wake(waker->http, (struct http_handle){handle});
    }
    pthread_mutex_unlock(&waker->lock);
}
