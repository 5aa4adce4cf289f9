// c-ares, and its callbacks' arguments in forms that Swift imports.
#pragma once
#include <ares.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

/// The options of every channel here: hosts file first, then DNS; sockets are reported to `state`.
static inline int sidecar_ares_init(ares_channel *channel, int try_ms, int tries, ares_sock_state_cb state, void *owner) {
    struct ares_options options;
    char lookups[] = "fb";
    memset(&options, 0, sizeof options);
    options.timeout = try_ms;
    options.tries = tries;
    options.lookups = lookups;
    options.sock_state_cb = state;
    options.sock_state_cb_data = owner;
    return ares_init_options(
        channel, &options, ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_LOOKUPS | ARES_OPT_SOCK_STATE_CB);
}

/// Asks for addresses of every family, or of IPv4 only. One entry per address.
static inline void sidecar_ares_getaddrinfo(
    ares_channel channel, const char *name, int family, ares_addrinfo_callback callback, void *lookup) {
    struct ares_addrinfo_hints hints;
    memset(&hints, 0, sizeof hints);
    hints.ai_family = family;
    hints.ai_socktype = SOCK_STREAM;
    ares_getaddrinfo(channel, name, NULL, &hints, callback, lookup);
}

/// Milliseconds until the channel wants to be processed, rounded up; -1 when it waits for nothing.
static inline long sidecar_ares_timeout_ms(ares_channel channel) {
    struct timeval storage;
    struct timeval *wait = ares_timeout(channel, NULL, &storage);
    return wait == NULL ? -1 : (long)wait->tv_sec * 1000 + (wait->tv_usec + 999) / 1000;
}
