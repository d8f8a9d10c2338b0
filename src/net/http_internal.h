/* http_internal.h: what the files of the HTTP server share.
 *
 *     http_server.c    opens sockets, starts and ends loops
 *     http_loop.c      one thread: waits, wakes, cuts what is late
 *     http_crowd.c     who is connected, and who goes when there are too many
 *     http_header.c    copies the header of a request and looks at it
 *     http_lines.c     how its lines end
 *     http_request.c   libmicrohttpd's callbacks: reads requests, hands them out
 *     http_exchange.c  the exchange as its handler sees it
 *     http_answer.c    puts an answer on the wire
 *
 * Every call into libmicrohttpd happens on the loop's own thread. Other threads
 * reach a loop only through http_loop_wake().
 */
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <strings.h>

#include "net/address.h"
#include "net/http_crowd.h"
#include "net/http_server.h"
#include "net/microhttpd.h"

/* Clients slower than this, averaged after a grace time, are cut: they hold memory and a
 * connection. */
enum { BYTES_PER_SECOND_MIN = 16 * 1024 };

enum { LINGER_COUNT_MAX = 32, SPARE_COUNT_MAX = 8 };

typedef struct HttpConnection HttpConnection;
typedef struct HttpLoop HttpLoop;

/* How far the loop is with an exchange. Only the loop's thread reads or writes it. */
typedef enum HttpPhase {
    HTTP_PHASE_HEADER,  /* only the request line was read */
    HTTP_PHASE_BODY,    /* the header is there, the body may be on its way */
    HTTP_PHASE_HANDLED, /* handle() has it or had it */
    HTTP_PHASE_SENDING, /* the answer is on its way, or was refused */
} HttpPhase;

/* An answer, waiting to be sent; its texts are in the exchange's arena or static. */
typedef struct HttpStoredAnswer {
    int status;
    const char *body;
    uint64_t size;
    int file; /* to send from, or -1 */
    uint64_t offset;
    HttpPairList headers;
} HttpStoredAnswer;

struct HttpExchange {
    Arena *arena;
    HttpConnection *connection; /* for the loop's thread only */
    HttpPhase phase;

    const char *target_end; /* where the target lay when it came; an address, nothing is read */
    const char *method;
    const char *path;
    const char *peer;
    const char *query;
    TextList segments;
    HttpPairList queries;
    HttpPairList headers;
    uint64_t announced_size; /* of the body, or 0; libmicrohttpd has refused what is no number */

    HttpBodyRule rule;
    HttpBody body;
    char *buffer; /* of a body in memory, grows by reallocation */
    size_t capacity;
    int spool; /* the file of a body, or -1 */

    HttpStoredAnswer answer;

    pthread_t handler;        /* the loop's thread, once handle() has it */
    bool is_at_hand;          /* handle() runs; for that thread only */
    bool is_answered_at_once; /* by it, before it returned; for that thread only */

    pthread_mutex_t lock;
    bool is_answered;   /* guarded by lock */
    bool is_parked;     /* guarded by lock: the loop waits to be woken for it */
    bool is_ended;      /* guarded by lock: the connection has let go of it */
    HttpExchange *next; /* guarded by the loop's lock: in its list of the answered */
};

struct HttpConnection {
    HttpGuest guest; /* the first member: one is cast into the other */
    HttpLoop *loop;
    struct MHD_Connection *handle;
    int socket;
    int64_t late_at; /* on the loop's clock, when the present phase took too long; 0: never */
    HttpExchange *exchange;
    uint64_t turn; /* of the loop, when it last handed out a request of this connection */
    unsigned turn_request_count;
    HttpConnection *next; /* in the loop's list of those that yielded */
    char peer[ADDRESS_TEXT_SIZE];
};

/* A refused client may still be sending. Closing at once would reset the connection and could take
 * the answer with it, so its socket stays open a while and what comes is thrown away. */
typedef struct HttpLinger {
    int socket;
    int64_t until;
} HttpLinger;

struct HttpLoop {
    const HttpServerSpec *spec;
    struct MHD_Daemon *daemon;
    pthread_t thread;
    int wake_event;
    int poll_event; /* libmicrohttpd's epoll */

    int64_t now; /* milliseconds, monotonic, of the present turn */
    int64_t look_at;
    uint64_t turn;
    HttpConnection *yielded; /* to go on in the next turn */
    HttpCrowd crowd;
    size_t exchange_count;
    size_t body_bytes;              /* of bodies in memory whose connections are open */
    Arena *spares[SPARE_COUNT_MAX]; /* memory of exchanges that ended, warm for the next ones */
    size_t spare_count;
    HttpLinger lingers[LINGER_COUNT_MAX];
    size_t linger_count;
    bool is_draining;
    int64_t receive_until; /* while draining: requests that are not whole by then are cut */

    _Atomic int64_t stop_at; /* 0: go on; else when to give up on what is unanswered */

    pthread_mutex_t lock;
    HttpExchange *answered; /* guarded by lock */
};

/* http_loop.c */
bool http_loop_open(HttpLoop *loop, const HttpServerSpec *spec, int listener, Error *error);

/* Asks the loop to end, and to give up on unanswered requests at that time; then waits for it. */
void http_loop_stop(HttpLoop *loop, int64_t stop_at);
void http_loop_join(HttpLoop *loop);
void http_loop_wake(HttpLoop *loop, HttpExchange *answered);

/* Whether this connection has had its share of this turn; then it is suspended until the next one.
 */
bool http_loop_yields(HttpLoop *loop, HttpConnection *connection);
void http_loop_linger(HttpLoop *loop, int socket);

/* http_request.c */
struct MHD_Daemon *http_daemon_start(HttpLoop *loop, int listener);
void http_request_refuse_late(HttpConnection *connection);

/* Ends a connection; when a body is on its way, with a refusal. */
void http_request_cut(HttpConnection *connection, int status, const char *reason);
void http_request_abandon(HttpConnection *connection);

/* http_lines.c */
extern struct MHD_OptionItem http_lines_options[];

/* Where the next line of a header has to begin; NULL when one did not. Texts are given as they come
 * from libmicrohttpd: as pointers into what it received. */
typedef struct HttpLines {
    const char *next;
} HttpLines;

HttpLines http_lines_begin(const char *version);
void http_lines_pass(HttpLines *lines, const char *name, const char *value, size_t value_length);
bool http_lines_are_whole(const HttpLines *lines, struct MHD_Connection *connection,
                          const char *method);

/* http_header.c */

/* Copies the header into the exchange, whole or not; why it is not proper HTTP, or NULL. */
const char *http_header_read(HttpExchange *exchange, const char *method, const char *version);

/* http_exchange.c */

/* Names of headers: nearly all that differ do so in their first letter. */
static inline bool http_same_name(const char *a, const char *b)
{
    return ((*a ^ *b) & ~0x20) == 0 && strcasecmp(a, b) == 0;
}

HttpExchange *http_exchange_create(HttpConnection *connection, const char *target);
void http_exchange_end(HttpExchange *exchange);
void http_exchange_clear_spares(HttpLoop *loop);

void http_exchange_handle(HttpExchange *exchange, const HttpServerSpec *spec);

/* True when it was already answered; false when the loop is to be woken for it. */
bool http_exchange_park(HttpExchange *exchange);
void http_exchange_finish(HttpExchange *exchange);

/* http_answer.c */
enum MHD_Result http_answer_send(HttpExchange *exchange, struct MHD_Connection *connection);
void http_answer_send_raw(const HttpExchange *exchange, int socket);
