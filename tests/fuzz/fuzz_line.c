/* fuzz_line.c: any line as a window of the week, a moment, a Basic authorization, the URL of a
 * webhook, a list of originators or a text with expressions is refused, or is what its header
 * promises. The first byte chooses what it is, the next eight are a moment. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "base/time.h"
#include "net/basic.h"
#include "notify/target.h"
#include "pipelines/originator.h"
#include "pipelines/time_window.h"
#include "plan/template.h"

static const int64_t moment_max = 250000000000000; /* of the year 9892 */

static void require(bool condition)
{
    if (!condition)
        abort();
}

static void check_window(const char *text, int64_t now_ms, Arena *arena)
{
    TimeWindow window = {0};
    Error error = {0};
    TimeWindowList list = {&window, 1};
    int64_t next_ms;

    if (!time_window_parse(text, arena, &window, &error)) {
        require(error.kind && error.message[0]);
        return;
    }
    require(window.days && !(window.days >> 7) && window.begin_ms < window.end_ms);
    next_ms = time_window_next(&list, now_ms);
    require(next_ms >= now_ms);
    require(next_ms == INT64_MAX || time_window_next(&list, next_ms) == next_ms);
}

static void check_moment(const char *text, int64_t now_ms, Arena *arena)
{
    int64_t time_ms = 0;

    (void)now_ms;
    (void)arena;
    if (time_parse(text, &time_ms)) {
        char printed[TIME_TEXT_SIZE];
        int64_t again_ms = 0;

        time_format(time_ms, printed);
        require(time_parse(printed, &again_ms) && again_ms == time_ms);
    }
}

static void check_basic(const char *text, int64_t now_ms, Arena *arena)
{
    BasicPair pair = {0};

    (void)now_ms;
    if (basic_read(text, arena, &pair))
        require(pair.name && pair.secret && !strchr(pair.name, ':'));
}

static void check_target(const char *text, int64_t now_ms, Arena *arena)
{
    static const char *hosts[] = {"inside", "10.0.0.7"};
    const NotifySettings settings = {.hosts = {hosts, COUNT(hosts)},
                                     .mail_server = {.url = "smtp://127.0.0.1"},
                                     .mail_sender = "slipway@example.com"};
    Target target = {0};
    Error error = {0};

    (void)now_ms;
    if (!target_read(&settings, text, arena, &target, &error)) {
        require(error.kind && error.message[0]);
        return;
    }
    require(target.origin && (!target.url != !target.recipient));
    require(!target.recipient || target_is_address(target.recipient));
    require(!target.url || target.may_be_private || strncasecmp(target.url, "https://", 8) == 0);
}

static void check_originators(const char *text, int64_t now_ms, Arena *arena)
{
    OriginatorList list = {0}, again = {0};
    Error error = {0};
    const char *printed;

    (void)now_ms;
    if (!originators_parse(text, arena, &list, &error)) {
        require(error.kind && error.message[0]);
        return;
    }
    printed = originators_print(&list, arena);
    require(originators_parse(printed, arena, &again, &error) && again.count == list.count);
    require(strcmp(originators_print(&again, arena), printed) == 0);
}

static void check_template(const char *text, int64_t now_ms, Arena *arena)
{
    for (TemplateStyle style = TEMPLATE_PLAIN; style <= TEMPLATE_DVC; style++) {
        TemplatePartList parts = {0};
        Error error = {0};
        bool has_expression = false;

        (void)now_ms;
        if (!template_parse(text, style, arena, &parts, &error)) {
            require(error.kind && error.message[0]);
            continue;
        }
        for (size_t i = 0; i < parts.count; i++) {
            require(parts.items[i].text);
            has_expression |= parts.items[i].expression != NULL;
        }
        require(!has_expression || template_has_expression(text, style));
        require(!template_is_exact(&parts) || (parts.count == 1 && has_expression));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const checks[])(const char *text, int64_t now_ms, Arena *arena) = {
        check_window, check_moment, check_basic, check_target, check_originators, check_template};
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    int64_t now_ms;

    if (size < 1 + sizeof(now_ms))
        return 0;
    memcpy(&now_ms, data + 1, sizeof(now_ms));
    now_ms %= moment_max;
    checks[data[0] % COUNT(checks)](arena_copy(arena, (const char *)data + 9, size - 9), now_ms,
                                    arena);
    return 0;
}
