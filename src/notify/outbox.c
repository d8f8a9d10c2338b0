#include "notify/outbox.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct Outbox {
    Arena *arena;
    NotifySettings settings;
    atomic_bool has_new;
    int bell;
    bool remembers;  /* these three are the writer's thread's */
    uint64_t change; /* the count when wanted was read */
    EventKinds wanted;
};

static NotifySettings copy_of(const NotifySettings *settings, Arena *arena)
{
    NotifySettings copy = {
        .allows_any_host = settings->allows_any_host,
        .mail_server = {.url = arena_text(arena, settings->mail_server.url),
                        .user = arena_text(arena, settings->mail_server.user),
                        .secret = arena_text(arena, settings->mail_server.secret),
                        .demands_tls = settings->mail_server.demands_tls},
        .mail_sender = arena_text(arena, settings->mail_sender),
    };

    for (size_t i = 0; i < settings->hosts.count; i++)
        text_list_add(&copy.hosts, arena, arena_text(arena, settings->hosts.items[i]));
    return copy;
}

Outbox *outbox_create(const NotifySettings *settings)
{
    Outbox *outbox = calloc(1, sizeof(*outbox));

    if (!outbox)
        out_of_memory();
    outbox->arena = arena_create();
    outbox->bell = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (settings)
        outbox->settings = copy_of(settings, outbox->arena);
    if (getenv("SLIPWAY_ALLOW_PRIVATE_URLS"))
        outbox->settings.allows_any_host = true;
    return outbox;
}

void outbox_destroy(Outbox *outbox)
{
    if (!outbox)
        return;
    if (outbox->bell >= 0)
        close(outbox->bell);
    arena_destroy(outbox->arena);
    free(outbox);
}

const NotifySettings *outbox_settings(const Outbox *outbox)
{
    static const NotifySettings none;

    return outbox ? &outbox->settings : &none;
}

bool outbox_recall(const Outbox *outbox, const Writer *writer, EventKinds *wanted)
{
    if (!outbox || !outbox->remembers || outbox->change != writer_announced_count(writer))
        return false;
    *wanted = outbox->wanted;
    return true;
}

/* What is read of a change that is undone is forgotten with it: its end counts, too. */
void outbox_remember(Outbox *outbox, const Writer *writer, EventKinds wanted)
{
    if (!outbox)
        return;
    outbox->remembers = true;
    outbox->change = writer_announced_count(writer);
    outbox->wanted = wanted;
}

void outbox_mark(Outbox *outbox)
{
    if (outbox)
        atomic_store(&outbox->has_new, true);
}

void outbox_on_commit(void *context)
{
    Outbox *outbox = context;

    if (atomic_load_explicit(&outbox->has_new, memory_order_relaxed) &&
        atomic_exchange(&outbox->has_new, false))
        outbox_ring(outbox);
}

int outbox_bell(const Outbox *outbox)
{
    return outbox->bell;
}

void outbox_ring(Outbox *outbox)
{
    eventfd_write(outbox->bell, 1);
}

void outbox_silence(Outbox *outbox)
{
    eventfd_t count;

    eventfd_read(outbox->bell, &count);
}
