// The floor of the benchmarks: what the same commands cost in bare C on librabbitmq and libcurl. One thread takes
// commands, posts each, publishes its event, and acknowledges the command once the event is confirmed. No limit, no
// order, no retry, no error but the end of the program.
//
//   floor BROKER_PORT QUEUE API_PORT PREFETCH MAX_IN_FLIGHT TOKEN_LENGTH      runs until SIGTERM
#define _GNU_SOURCE
#include <curl/curl.h>
#include <amqp.h>
#include <amqp_tcp_socket.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>

enum { WORK = 1, EVENTS = 2, IN_HAND = 65536, TEXT = 4096 };

struct command {
    uint64_t tag;
    char correlation[256], id[37], partner[37], customer[37], application[37], grants[TEXT];
    char request_id[64], server_id[64], correlation_id[64];
    char url[256], body[TEXT + 128];
    size_t received;
    struct timespec began;
    struct curl_slist *headers;
    struct command *next;
};

static amqp_connection_state_t connection;
static CURLM *multi;
static CURL *idle[IN_HAND];
static int idle_count, in_flight, max_in_flight;
static struct command *free_commands, *waiting_first, *waiting_last;
static struct command *unconfirmed[IN_HAND];
static uint64_t first_unconfirmed = 1, next_publish = 1;
static const char *api_port;
static char authorization[2200];
static volatile sig_atomic_t stopped;

static void stop(int number) { (void)number, stopped = 1; }

static void fail(const char *what) {
    fprintf(stderr, "floor: %s\n", what);
    exit(1);
}

static void check(int status, const char *what) {
    if (status != AMQP_STATUS_OK) fail(what);
}

static void check_reply(const char *what) {
    if (amqp_get_rpc_reply(connection).reply_type != AMQP_RESPONSE_NORMAL) fail(what);
}

// The text of a member, copied; what the benchmark publishes has no escapes and no such name twice.
static void member(const char *body, size_t count, const char *name, char *into, size_t room) {
    const char *at = memmem(body, count, name, strlen(name));
    if (!at) fail("a member is missing");
    at += strlen(name);
    const char *end = *at == '[' ? (char *)memchr(at, ']', count - (size_t)(at - body)) + 1
                                 : memchr(at, '"', count - (size_t)(at - body));
    if (!end || (size_t)(end - at) >= room) fail("a member is too long");
    memcpy(into, at, (size_t)(end - at));
    into[end - at] = 0;
}

static size_t take_body(char *bytes, size_t size, size_t count, void *context) {
    (void)bytes;
    ((struct command *)context)->received += size * count;
    return size * count;
}

static size_t take_header(char *line, size_t size, size_t count, void *context) {
    struct command *command = context;
    size_t length = size * count;
    const char *names[] = {"ms-requestid:", "ms-correlationid:", "ms-serverid:"};
    char *values[] = {command->request_id, command->correlation_id, command->server_id};
    for (int index = 0; index < 3; index++) {
        size_t name = strlen(names[index]);
        if (length < name + 3 || strncasecmp(line, names[index], name) != 0 || length - name - 3 >= 64) continue;
        memcpy(values[index], line + name + 1, length - name - 3);
        values[index][length - name - 3] = 0;
    }
    return length;
}

static void start(struct command *command) {
    CURL *easy = idle_count > 0 ? idle[--idle_count] : curl_easy_init();
    char line[300];
    snprintf(command->url, sizeof command->url, "http://127.0.0.1:%s/v1/customers/%s/applicationconsents", api_port,
             command->customer);
    snprintf(command->body, sizeof command->body, "{\"applicationId\":\"%s\",\"applicationGrants\":%s}",
             command->application, command->grants);
    command->headers = curl_slist_append(NULL, "Expect:");
    curl_slist_append(command->headers, "Accept: application/json");
    snprintf(line, sizeof line, "ms-requestid: %s", command->id);
    curl_slist_append(command->headers, line);
    snprintf(line, sizeof line, "ms-correlationid: %s", command->correlation);
    curl_slist_append(command->headers, line);
    curl_slist_append(command->headers, "Content-Type: application/json");
    curl_slist_append(command->headers, authorization);
    curl_easy_setopt(easy, CURLOPT_URL, command->url);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE, (long)strlen(command->body));
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, command->body);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, command->headers);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, command);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, take_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, command);
    curl_easy_setopt(easy, CURLOPT_PRIVATE, command);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, 60000L);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "consent-worker");
    command->received = 0;
    clock_gettime(CLOCK_MONOTONIC, &command->began);
    curl_multi_add_handle(multi, easy);
    in_flight++;
}

static void publish(struct command *command) {
    char event[TEXT], key[128], time_text[40];
    struct timespec ended, wall;
    clock_gettime(CLOCK_MONOTONIC, &ended);
    clock_gettime(CLOCK_REALTIME, &wall);
    struct tm parts;
    gmtime_r(&wall.tv_sec, &parts);
    strftime(time_text, sizeof time_text, "%Y-%m-%dT%H:%M:%S.000Z", &parts);
    long milliseconds =
        (ended.tv_sec - command->began.tv_sec) * 1000 + (ended.tv_nsec - command->began.tv_nsec) / 1000000;
    int count = snprintf(
        event, sizeof event,
        "{\"specversion\":\"1.0\",\"id\":\"%s\",\"source\":\"/consent-worker\",\"type\":\"consent.grant.succeeded\","
        "\"subject\":\"%s\",\"time\":\"%s\",\"datacontenttype\":\"application/json\",\"data\":{\"contract\":\"1\","
        "\"commandId\":\"%s\",\"correlationId\":\"%s\",\"command\":\"grant\",\"outcome\":\"succeeded\",\"effect\":"
        "\"granted\",\"partnerTenantId\":\"%s\",\"customerId\":\"%s\",\"applicationId\":\"%s\",\"requestedBy\":null,"
        "\"attempts\":1,\"deliveries\":1,\"timings\":{\"queuedMs\":null,\"limiterMs\":0,\"apiMs\":%ld,\"retryWaitMs\":0,"
        "\"totalMs\":%ld},\"api\":{\"status\":201,\"requestId\":\"%s\",\"correlationId\":\"%s\",\"serverId\":\"%s\"},"
        "\"error\":null,\"result\":null}}",
        command->id, command->customer, time_text, command->id, command->correlation, command->partner,
        command->customer, command->application, milliseconds, milliseconds, command->request_id,
        command->correlation_id, command->server_id);
    snprintf(key, sizeof key, "grant.succeeded.%s", command->application);
    amqp_basic_properties_t properties = {
        ._flags = AMQP_BASIC_CONTENT_TYPE_FLAG | AMQP_BASIC_DELIVERY_MODE_FLAG | AMQP_BASIC_CORRELATION_ID_FLAG |
                  AMQP_BASIC_MESSAGE_ID_FLAG | AMQP_BASIC_TIMESTAMP_FLAG,
        .content_type = amqp_cstring_bytes("application/cloudevents+json"),
        .delivery_mode = 2,
        .correlation_id = amqp_cstring_bytes(command->correlation),
        .message_id = amqp_cstring_bytes(command->id),
        .timestamp = (uint64_t)wall.tv_sec,
    };
    check(amqp_basic_publish(connection, EVENTS, amqp_cstring_bytes("consent.events"), amqp_cstring_bytes(key), 1, 0,
                             &properties, (amqp_bytes_t){(size_t)count, event}),
          "publish");
    unconfirmed[next_publish++ % IN_HAND] = command;
}

static void finish(CURL *easy, CURLcode code) {
    struct command *command;
    long status = 0;
    curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&command);
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    curl_multi_remove_handle(multi, easy);
    idle[idle_count++] = easy;
    in_flight--;
    curl_slist_free_all(command->headers);
    if (code != CURLE_OK || status != 201) fail("a request failed");
    publish(command);
}

static void confirmed(uint64_t tag, int multiple) {
    for (uint64_t each = multiple ? first_unconfirmed : tag; each <= tag; each++) {
        struct command *command = unconfirmed[each % IN_HAND];
        if (!command) continue;
        unconfirmed[each % IN_HAND] = NULL;
        check(amqp_basic_ack(connection, WORK, command->tag, 0), "ack");
        command->next = free_commands;
        free_commands = command;
    }
    while (first_unconfirmed < next_publish && !unconfirmed[first_unconfirmed % IN_HAND]) first_unconfirmed++;
}

static void accept_command(const char *body, size_t count, uint64_t tag, amqp_basic_properties_t *properties) {
    struct command *command = free_commands;
    if (command) free_commands = command->next;
    else command = calloc(1, sizeof *command);
    command->tag = tag;
    command->next = NULL;
    snprintf(command->correlation, sizeof command->correlation, "%.*s", (int)properties->correlation_id.len,
             (char *)properties->correlation_id.bytes);
    member(body, count, "\"commandId\":\"", command->id, sizeof command->id);
    member(body, count, "\"partnerTenantId\":\"", command->partner, sizeof command->partner);
    member(body, count, "\"customerId\":\"", command->customer, sizeof command->customer);
    member(body, count, "\"applicationId\":\"", command->application, sizeof command->application);
    member(body, count, "\"applicationGrants\":", command->grants, sizeof command->grants);
    if (waiting_last) waiting_last->next = command;
    else waiting_first = command;
    waiting_last = command;
}

static void take_frame(const amqp_frame_t *frame) {
    static uint64_t tag;
    static char body[TEXT];
    static size_t size, used;
    static amqp_basic_properties_t properties;
    if (frame->frame_type == AMQP_FRAME_METHOD && frame->payload.method.id == AMQP_BASIC_ACK_METHOD) {
        amqp_basic_ack_t *ack = frame->payload.method.decoded;
        confirmed(ack->delivery_tag, ack->multiple);
        amqp_maybe_release_buffers_on_channel(connection, EVENTS);
    } else if (frame->frame_type == AMQP_FRAME_METHOD && frame->payload.method.id == AMQP_BASIC_DELIVER_METHOD) {
        tag = ((amqp_basic_deliver_t *)frame->payload.method.decoded)->delivery_tag;
    } else if (frame->frame_type == AMQP_FRAME_HEADER) {
        size = frame->payload.properties.body_size;
        used = 0;
        properties = *(amqp_basic_properties_t *)frame->payload.properties.decoded;
    } else if (frame->frame_type == AMQP_FRAME_BODY) {
        if (used + frame->payload.body_fragment.len > sizeof body) fail("a body is too large");
        memcpy(body + used, frame->payload.body_fragment.bytes, frame->payload.body_fragment.len);
        used += frame->payload.body_fragment.len;
        if (used < size) return;
        accept_command(body, size, tag, &properties);
        amqp_maybe_release_buffers_on_channel(connection, WORK);
    } else if (frame->frame_type != AMQP_FRAME_HEARTBEAT) {
        fail("the broker said something else");
    }
}

static void take_frames(void) {
    amqp_frame_t frame;
    for (;;) {
        int status = amqp_simple_wait_frame_noblock(connection, &frame, &(struct timeval){0, 0});
        if (status == AMQP_STATUS_TIMEOUT) return;
        check(status, "the broker's connection");
        take_frame(&frame);
    }
}

static void connect_to_broker(int port, const char *queue, int prefetch) {
    connection = amqp_new_connection();
    amqp_socket_t *socket = amqp_tcp_socket_new(connection);
    check(amqp_socket_open(socket, "127.0.0.1", port), "no broker");
    if (amqp_login(connection, "/", 0, 131072, 0, AMQP_SASL_METHOD_PLAIN, "guest", "guest").reply_type !=
        AMQP_RESPONSE_NORMAL) fail("login");
    amqp_channel_open(connection, WORK);
    amqp_channel_open(connection, EVENTS);
    amqp_confirm_select(connection, EVENTS);
    amqp_basic_qos(connection, WORK, 0, (uint16_t)prefetch, 0);
    amqp_basic_consume(connection, WORK, amqp_cstring_bytes(queue), amqp_empty_bytes, 0, 0, 0, amqp_empty_table);
    check_reply("consume");
}

int main(int count, char **arguments) {
    if (count != 7) fail("usage: floor BROKER_PORT QUEUE API_PORT PREFETCH MAX_IN_FLIGHT TOKEN_LENGTH");
    signal(SIGTERM, stop);
    api_port = arguments[3];
    max_in_flight = atoi(arguments[5]);
    int token_length = atoi(arguments[6]);
    int prefix = snprintf(authorization, sizeof authorization, "Authorization: Bearer ");
    if (token_length < 0 || (size_t)(prefix + token_length) >= sizeof authorization) fail("the token is too long");
    memset(authorization + prefix, 'a', (size_t)token_length);
    curl_global_init(CURL_GLOBAL_DEFAULT);
    multi = curl_multi_init();
    curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, (long)max_in_flight);
    connect_to_broker(atoi(arguments[1]), arguments[2], atoi(arguments[4]));
    struct curl_waitfd broker = {.fd = amqp_get_sockfd(connection), .events = CURL_WAIT_POLLIN};
    while (!stopped) {
        take_frames();
        while (waiting_first && in_flight < max_in_flight) {
            struct command *command = waiting_first;
            if (!(waiting_first = command->next)) waiting_last = NULL;
            start(command);
        }
        int running, left;
        curl_multi_perform(multi, &running);
        for (CURLMsg *message; (message = curl_multi_info_read(multi, &left));) {
            if (message->msg == CURLMSG_DONE) finish(message->easy_handle, message->data.result);
        }
        if (!amqp_data_in_buffer(connection) && !amqp_frames_enqueued(connection)) {
            curl_multi_poll(multi, &broker, 1, in_flight < max_in_flight && waiting_first ? 0 : 1000, NULL);
        }
    }
}
