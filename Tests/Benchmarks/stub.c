// The other side of the benchmarks: answers as the token endpoint and Partner Center do, as fast as one thread can.
//
//   stub [DELAY_MICROSECONDS]      prints its port; an answer about consent leaves so long after its request
//
// GET /figures answers {"requests": consents asked for since the last such question, "firstNs", "lastNs": their arrival
// on CLOCK_MONOTONIC}.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

enum { REQUEST_MAX = 65536, PEERS_MAX = 4096, DUE_MAX = 1 << 16 };

struct peer {
    size_t used;
    unsigned generation;
    char bytes[REQUEST_MAX];
};

struct due {
    int64_t at;
    int fd;
    unsigned generation;
};

static struct peer *peers[PEERS_MAX];
static struct due due[DUE_MAX];
static uint32_t due_first, due_end;
static int64_t delay_ns, first_ns, last_ns, requests;
static char consent[1024], token[2048];

static int64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000000000LL + time.tv_nsec;
}

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static void send_all(int fd, const char *bytes, size_t count) {
    while (count > 0) {
        ssize_t sent = send(fd, bytes, count, MSG_NOSIGNAL);
        if (sent < 0 && errno != EAGAIN) return;
        if (sent > 0) bytes += sent, count -= (size_t)sent;
    }
}

static void prepare_answers(void) {
    const char *body = "{\"applicationId\":\"11111111-1111-4111-8111-111111111111\",\"applicationGrants\":[{"
                       "\"enterpriseApplicationId\":\"00000003-0000-0000-c000-000000000000\",\"scope\":\"User.Read\"}]}";
    snprintf(consent, sizeof consent,
             "HTTP/1.1 201 Created\r\nContent-Type: application/json; charset=utf-8\r\nContent-Length: %zu\r\n"
             "MS-RequestId: 5fb9d8d0-4c4c-4cb3-a2ab-2bd6d24ac3a1\r\nMS-CorrelationId: 0ab1b1e4-7b3f-4f3e-9c11-8c7f5be7e0a2\r\n"
             "X-Locale: en-US\r\nMS-CV: 4sb0gBHCx0+HIE6y.0\r\nMS-ServerId: 020021921\r\n"
             "Date: Sat, 21 Nov 2026 12:00:00 GMT\r\n\r\n%s", strlen(body), body);
    char text[1400];
    memset(text, 'a', sizeof text - 1);
    text[sizeof text - 1] = 0;
    char answer[1800];
    snprintf(answer, sizeof answer,
             "{\"token_type\":\"Bearer\",\"scope\":\"https://api.partnercenter.microsoft.com/user_impersonation\","
             "\"expires_in\":5400,\"ext_expires_in\":5400,\"access_token\":\"%s\",\"refresh_token\":\"same\"}", text);
    snprintf(token, sizeof token,
             "HTTP/1.1 200 OK\r\nContent-Type: application/json; charset=utf-8\r\nContent-Length: %zu\r\n\r\n%s",
             strlen(answer), answer);
}

static void answer(int fd, const char *request) {
    if (strncmp(request, "GET /figures", 12) == 0) {
        char body[200], text[400];
        int count = snprintf(body, sizeof body, "{\"requests\":%lld,\"firstNs\":%lld,\"lastNs\":%lld}",
                             (long long)requests, (long long)first_ns, (long long)last_ns);
        requests = first_ns = last_ns = 0;
        snprintf(text, sizeof text, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", count, body);
        return send_all(fd, text, strlen(text));
    }
    const char *end_of_line = strstr(request, "\r\n");
    if (memmem(request, (size_t)(end_of_line - request), "/oauth2/", 8)) return send_all(fd, token, strlen(token));
    last_ns = now();
    if (requests++ == 0) first_ns = last_ns;
    if (delay_ns == 0) return send_all(fd, consent, strlen(consent));
    if (due_end - due_first == DUE_MAX) fail("too many requests at a time");
    due[due_end++ % DUE_MAX] = (struct due){last_ns + delay_ns, fd, peers[fd]->generation};
}

static void close_peer(int fd) {
    peers[fd]->generation++;
    peers[fd]->used = 0;
    close(fd);
}

static void read_peer(int fd) {
    struct peer *peer = peers[fd];
    ssize_t count = recv(fd, peer->bytes + peer->used, REQUEST_MAX - 1 - peer->used, MSG_DONTWAIT);
    if (count < 0 && errno == EAGAIN) return;
    if (count <= 0) return close_peer(fd);
    peer->used += (size_t)count;
    peer->bytes[peer->used] = 0;
    for (;;) {
        char *body = strstr(peer->bytes, "\r\n\r\n");
        if (!body) return;
        body += 4;
        char *field = strcasestr(peer->bytes, "\r\ncontent-length:");
        size_t length = field && field < body ? strtoul(field + 17, NULL, 10) : 0;
        size_t whole = (size_t)(body - peer->bytes) + length;
        if (whole > peer->used) return;
        answer(fd, peer->bytes);
        peer->used -= whole;
        memmove(peer->bytes, peer->bytes + whole, peer->used + 1);
    }
}

int main(int count, char **arguments) {
    if (count > 1) delay_ns = strtoll(arguments[1], NULL, 10) * 1000;
    prepare_answers();
    int listener = socket(AF_INET, SOCK_STREAM, 0), one = 1;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    if (bind(listener, (struct sockaddr *)&address, size) || listen(listener, 1024)) fail("listen");
    getsockname(listener, (struct sockaddr *)&address, &size);
    printf("%d\n", ntohs(address.sin_port));
    fflush(stdout);

    int poller = epoll_create1(0);
    epoll_ctl(poller, EPOLL_CTL_ADD, listener, &(struct epoll_event){.events = EPOLLIN, .data.fd = listener});
    for (;;) {
        struct timespec wait, *timeout = NULL;
        if (due_first != due_end) {
            int64_t left = due[due_first % DUE_MAX].at - now();
            if (left < 0) left = 0;
            wait = (struct timespec){left / 1000000000, left % 1000000000};
            timeout = &wait;
        }
        struct epoll_event events[256];
        int ready = epoll_pwait2(poller, events, 256, timeout, NULL);
        for (int index = 0; index < ready; index++) {
            int fd = events[index].data.fd;
            if (fd != listener) {
                read_peer(fd);
                continue;
            }
            int peer = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
            if (peer < 0 || peer >= PEERS_MAX) fail("accept");
            setsockopt(peer, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
            if (!peers[peer]) peers[peer] = calloc(1, sizeof *peers[peer]);
            peers[peer]->used = 0;
            epoll_ctl(poller, EPOLL_CTL_ADD, peer, &(struct epoll_event){.events = EPOLLIN, .data.fd = peer});
        }
        for (int64_t time = now(); due_first != due_end && due[due_first % DUE_MAX].at <= time; due_first++) {
            struct due next = due[due_first % DUE_MAX];
            if (next.generation == peers[next.fd]->generation) send_all(next.fd, consent, strlen(consent));
        }
    }
}
