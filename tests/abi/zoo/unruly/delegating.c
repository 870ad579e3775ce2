/* Lets a thread of its own look into events. */
#define _GNU_SOURCE
#include <pgat/sink.h>
#include <pthread.h>

static void *look(void *arg) {
    const pgat_host *host = arg;
    const pgat_str nothing = {NULL, 0};
    host->json_get(host, nothing, nothing, NULL);
    return NULL;
}

#define ZOO_TYPE "delegating"
#define ZOO_IN_PUBLISH                                                                             \
    pthread_t thread;                                                                              \
    if (pthread_create(&thread, NULL, look, (void *)(size_t)host) == 0) pthread_join(thread, NULL)
#include "good.h"
