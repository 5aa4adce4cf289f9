// What Glibc's Swift overlay leaves out: epoll, eventfd, signalfd, accept4, splice, and the macros among them.
#pragma once
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

// GNU declarations. Defining _GNU_SOURCE here would give shared structures another shape than Glibc's overlay has.
extern int accept4(int descriptor, struct sockaddr *address, socklen_t *length, int flags);
extern int pipe2(int descriptors[2], int flags);
extern ssize_t splice(int from, int64_t *from_offset, int to, int64_t *to_offset, size_t count, unsigned flags);
extern int pthread_setname_np(pthread_t thread, const char *name);
// An enumeration that several C modules include: which of them Swift sees it through depends on the build's order.
static const int32_t sidecar_SOCK_STREAM = SOCK_STREAM;
static const int32_t sidecar_SOCK_DGRAM = SOCK_DGRAM;
static const int32_t sidecar_SOCK_NONBLOCK = SOCK_NONBLOCK;
static const int32_t sidecar_SOCK_CLOEXEC = SOCK_CLOEXEC;
static const int32_t sidecar_F_SETPIPE_SZ = 1031;
static const uint32_t sidecar_SPLICE_F_MOVE = 1;
static const uint32_t sidecar_SPLICE_F_NONBLOCK = 2;

// Swift imports some of these flags as enumerations, some as Int32 and one not at all.
static const uint32_t sidecar_EPOLLIN = EPOLLIN;
static const uint32_t sidecar_EPOLLOUT = EPOLLOUT;
static const uint32_t sidecar_EPOLLRDHUP = EPOLLRDHUP;
static const uint32_t sidecar_EPOLLHUP = EPOLLHUP;
static const uint32_t sidecar_EPOLLERR = EPOLLERR;
static const uint32_t sidecar_EPOLLET = EPOLLET;

/// epoll_ctl with the two fields of the event as plain integers.
static inline int sidecar_epoll_ctl(int epoll, int operation, int descriptor, uint32_t events, uint64_t token) {
    struct epoll_event event;
    memset(&event, 0, sizeof event);
    event.events = events;
    event.data.u64 = token;
    return epoll_ctl(epoll, operation, descriptor, &event);
}

/// splice without offsets: both ends are streams.
static inline ssize_t sidecar_splice(int from, int to, size_t count, unsigned flags) {
    return splice(from, NULL, to, NULL, count, flags);
}
