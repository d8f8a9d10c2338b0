/* fuzz_push.c: any bytes as what a git host sends are refused with a message, or tell of pushes of
 * branches, each with a commit; and no body is taken for signed unless its signature is right. The
 * first line is the signature that comes with the body. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "pipelines/hook.h"

static const char secret[] = "hush";

static void require(bool condition)
{
    if (!condition)
        abort();
}

/* Made by nobody who knows the secret, who would have to say it. */
static void check_signs(const char *sign, const char *body, size_t size)
{
    const HookSigns signs[] = {{.github = sign}, {.gitlab = sign}, {.plain = sign}, {0}};

    for (size_t i = 0; i < COUNT(signs); i++) {
        Error error = {0};
        bool is_right = hook_verify(secret, &signs[i], body, size, &error);

        require(is_right ? i == 1 && strcmp(sign, secret) == 0
                         : error.kind == ERROR_UNAUTHENTICATED && error.message[0]);
    }
    Error error = {0};
    (void)!hook_verify(secret, &(HookSigns){.authorization = sign}, body, size, &error);
}

static void check_pushes(const char *body, size_t size, Arena *arena)
{
    PushList list = {0};
    Error error = {0};

    if (!hook_read_pushes(body, size, arena, &list, &error)) {
        require(error.kind && error.message[0]);
        return;
    }
    for (size_t i = 0; i < list.count; i++) {
        const Push *push = &list.items[i];

        require(push->ref && push->ref[0] && push->commit);
        require(strlen(push->commit) == 40 || strlen(push->commit) == 64);
        require(strspn(push->commit, "0") < strlen(push->commit));
        require(!push->pusher || text_is_utf8(push->pusher, strlen(push->pusher)));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    const char *bytes = (const char *)data;
    const char *line_end = size ? memchr(bytes, '\n', size) : NULL;
    size_t sign_size = line_end ? (size_t)(line_end - bytes) : 0;
    const char *body = line_end ? line_end + 1 : bytes;
    size_t body_size = size - (size_t)(body - bytes);

    check_signs(arena_copy(arena, bytes, sign_size), body, body_size);
    check_pushes(body, body_size, arena);
    return 0;
}
