#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/time.h"
#include "net/http_internal.h"

enum { LOOK_INTERVAL_MS = 250, LINGER_MS = 2000, CLOSING_TURN_COUNT = 8 };
enum { STOPPING_RECEIVE_MS = 1000, REQUESTS_PER_TURN = 2 };

/* Of answers that wait together the first has woken the loop. */
void http_loop_wake(HttpLoop *loop, HttpExchange *answered)
{
    pthread_mutex_lock(&loop->lock);
    if (!answered || !loop->answered)
        eventfd_write(loop->wake_event, 1);
    if (answered) {
        answered->next = loop->answered;
        loop->answered = answered;
    }
    pthread_mutex_unlock(&loop->lock);
}

static void resume_answered(HttpLoop *loop)
{
    HttpExchange *answered;

    pthread_mutex_lock(&loop->lock);
    answered = loop->answered;
    loop->answered = NULL;
    pthread_mutex_unlock(&loop->lock);

    while (answered) {
        HttpExchange *next = answered->next;

        MHD_resume_connection(answered->connection->handle);
        answered = next;
    }
}

/* A client that sends hundreds of requests at once would be served to the end before anybody else.
 */
bool http_loop_yields(HttpLoop *loop, HttpConnection *connection)
{
    if (connection->turn != loop->turn)
        connection->turn_request_count = 0;
    connection->turn = loop->turn;
    if (connection->turn_request_count++ < REQUESTS_PER_TURN)
        return false;
    connection->next = loop->yielded;
    loop->yielded = connection;
    MHD_suspend_connection(connection->handle);
    return true;
}

static void resume_yielded(HttpLoop *loop)
{
    HttpConnection *connection = loop->yielded;

    loop->yielded = NULL;
    loop->turn++;
    while (connection) {
        HttpConnection *next = connection->next;

        MHD_resume_connection(connection->handle);
        connection = next;
    }
}

void http_loop_linger(HttpLoop *loop, int socket)
{
    int own = loop->linger_count < LINGER_COUNT_MAX ? fcntl(socket, F_DUPFD_CLOEXEC, 0) : -1;

    if (own < 0)
        return;
    shutdown(own, SHUT_WR);
    loop->lingers[loop->linger_count++] = (HttpLinger){own, loop->now + LINGER_MS};
}

/* Throws away what came; false when the other side has closed. */
static bool drain_socket(int socket)
{
    char scrap[64 * 1024];
    ssize_t size;

    for (int turn = 0; turn < 16; turn++) {
        size = recv(socket, scrap, sizeof(scrap), MSG_DONTWAIT);
        if (size < 0)
            return errno == EAGAIN || errno == EINTR;
        if (size == 0)
            return false;
    }
    return true;
}

static void drain_lingers(HttpLoop *loop, bool is_end)
{
    for (size_t i = 0; i < loop->linger_count;) {
        HttpLinger *linger = &loop->lingers[i];

        if (!is_end && drain_socket(linger->socket) && loop->now < linger->until) {
            i++;
            continue;
        }
        close(linger->socket);
        *linger = loop->lingers[--loop->linger_count];
    }
}

/* A request that is still being sent while the server stops: its client may be slow, or gone. */
static bool holds_up_stop(const HttpLoop *loop, const HttpConnection *connection)
{
    return loop->is_draining && loop->now >= loop->receive_until && connection->exchange &&
           connection->exchange->phase < HTTP_PHASE_HANDLED;
}

static void cut_if_late(void *context, HttpGuest *guest)
{
    HttpLoop *loop = context;
    HttpConnection *connection = (HttpConnection *)guest;

    if ((connection->late_at && connection->late_at <= loop->now) ||
        holds_up_stop(loop, connection))
        http_request_refuse_late(connection);
}

/* All are looked at: some thousands take a tenth of a millisecond. */
static void cut_late(HttpLoop *loop)
{
    if (loop->now < loop->look_at)
        return;
    loop->look_at = loop->now + LOOK_INTERVAL_MS;
    http_crowd_each(&loop->crowd, cut_if_late, loop);
}

/* How long nothing can happen by itself, in milliseconds; -1 is for ever. */
static int quiet_ms(const HttpLoop *loop)
{
    MHD_UNSIGNED_LONG_LONG asked;
    bool is_empty = loop->crowd.all.count == 0 && loop->linger_count == 0 && !loop->is_draining;
    int most = is_empty ? -1 : LOOK_INTERVAL_MS;

    if (loop->yielded)
        return 0;
    if (MHD_get_timeout(loop->daemon, &asked) != MHD_YES)
        return most;
    return most < 0 || asked < (MHD_UNSIGNED_LONG_LONG)most ? (int)asked : most;
}

static void wait_for_events(HttpLoop *loop)
{
    struct pollfd events[2 + LINGER_COUNT_MAX] = {
        {.fd = loop->wake_event, .events = POLLIN},
        {.fd = loop->poll_event, .events = POLLIN},
    };
    eventfd_t count;

    for (size_t i = 0; i < loop->linger_count; i++)
        events[2 + i] = (struct pollfd){.fd = loop->lingers[i].socket, .events = POLLIN};
    poll(events, 2 + loop->linger_count, quiet_ms(loop));
    loop->now = loop->crowd.now = time_monotonic_us() / 1000;
    if (events[0].revents)
        eventfd_read(loop->wake_event, &count);
}

static void loop_turn(HttpLoop *loop)
{
    wait_for_events(loop);
    resume_answered(loop);
    resume_yielded(loop);
    MHD_run(loop->daemon);
    drain_lingers(loop, false);
    cut_late(loop);
}

static void stop_accepting(HttpLoop *loop)
{
    MHD_socket listener = MHD_quiesce_daemon(loop->daemon);

    loop->is_draining = true;
    loop->receive_until = loop->now + STOPPING_RECEIVE_MS;
    if (listener != MHD_INVALID_SOCKET)
        close(listener);
}

static void abandon(void *context UNUSED, HttpGuest *guest)
{
    http_request_abandon((HttpConnection *)guest);
}

/* libmicrohttpd ends only when nothing is suspended. */
static void end_daemon(HttpLoop *loop)
{
    http_crowd_each(&loop->crowd, abandon, NULL);
    resume_answered(loop);
    for (int turn = 0; turn < CLOSING_TURN_COUNT || loop->yielded; turn++) {
        resume_yielded(loop);
        MHD_run(loop->daemon);
    }
    drain_lingers(loop, true);
    MHD_stop_daemon(loop->daemon);
}

static void *loop_run(void *context)
{
    HttpLoop *loop = context;

    while (!loop->stop_at)
        loop_turn(loop);
    stop_accepting(loop);
    while (loop->exchange_count > 0 && loop->now < loop->stop_at)
        loop_turn(loop);
    end_daemon(loop);
    return NULL;
}

/* Signals are for the main thread; SIGPIPE, which sendfile() can raise, for nobody. */
static int start_thread(HttpLoop *loop)
{
    sigset_t all, before;
    int number;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    number = pthread_create(&loop->thread, NULL, loop_run, loop);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return number;
}

/* What its handler works on cannot be cut; what is being sent can. */
static HttpWait progress_of(const HttpGuest *guest)
{
    const HttpExchange *exchange = ((const HttpConnection *)guest)->exchange;

    if (!exchange || exchange->phase < HTTP_PHASE_HANDLED)
        return HTTP_WAIT_REQUEST;
    return exchange->phase == HTTP_PHASE_HANDLED ? HTTP_WAIT_HANDLER : HTTP_WAIT_READER;
}

static size_t share_of(const HttpServerSpec *spec, size_t count)
{
    return (count + spec->thread_count - 1) / spec->thread_count;
}

bool http_loop_open(HttpLoop *loop, const HttpServerSpec *spec, int listener, Error *error)
{
    const union MHD_DaemonInfo *info;
    int number;

    loop->spec = spec;
    loop->now = time_monotonic_us() / 1000;
    loop->crowd = (HttpCrowd){
        .count_max = share_of(spec, spec->connection_count_max),
        .address_max = share_of(spec, spec->per_address_max),
        .progress = progress_of,
        .now = loop->now,
    };
    errno = 0;
    loop->wake_event = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    loop->daemon = loop->wake_event < 0 ? NULL : http_daemon_start(loop, listener);
    if (!loop->daemon)
        return fail(error, ERROR_INTERNAL, "could not start the HTTP server: %s",
                    errno ? strerror(errno) : "no reason was given");
    info = MHD_get_daemon_info(loop->daemon, MHD_DAEMON_INFO_EPOLL_FD);
    loop->poll_event = info->epoll_fd;
    pthread_mutex_init(&loop->lock, NULL);

    number = start_thread(loop);
    if (number == 0)
        return true;
    MHD_stop_daemon(loop->daemon);
    close(loop->wake_event);
    return fail(error, ERROR_INTERNAL, "could not start the thread that answers: %s",
                strerror(number));
}

void http_loop_stop(HttpLoop *loop, int64_t stop_at)
{
    loop->stop_at = stop_at;
    http_loop_wake(loop, NULL);
}

void http_loop_join(HttpLoop *loop)
{
    pthread_join(loop->thread, NULL);
    http_exchange_clear_spares(loop);
    close(loop->wake_event);
    pthread_mutex_destroy(&loop->lock);
}
