/* fuzz_zone.c: any bytes are refused with a message, as a file of the tz database and as a rule, or
 * become a zone whose spans follow each other without a hole. */
#include <stdint.h>
#include <stdlib.h>

#include "base/zone.h"
#include "base/zone_rule.h"

/* The end of the year 9999. */
static const int64_t time_max_ms = 253402300799999;

enum { SPANS_MAX = 100, OFFSET_MS_MAX = 26 * 3600 * 1000 };

static void require(bool condition)
{
    if (!condition)
        abort();
}

static void check_span(const ZoneSpan *span, int64_t at_ms)
{
    require(span->begin_ms <= at_ms && at_ms < span->end_ms);
    require(span->offset_ms < OFFSET_MS_MAX && span->offset_ms > -OFFSET_MS_MAX);
}

static void check_zone(const Zone *zone, int64_t at_ms)
{
    ZoneSpan span = zone_span_at(zone, at_ms);
    char text[TIME_TEXT_SIZE];

    check_span(&span, at_ms);
    for (int i = 0; i < SPANS_MAX && span.end_ms <= time_max_ms; i++) {
        ZoneSpan next = zone_span_at(zone, span.end_ms);

        check_span(&next, span.end_ms);
        require(next.begin_ms == span.end_ms);
        require(*zone_format(zone, span.end_ms, text));
        span = next;
    }
}

static void check_rule(const ZoneRule *rule, int64_t at_ms)
{
    for (int i = 0; i < SPANS_MAX && at_ms <= time_max_ms; i++) {
        ZoneSpan span = zone_rule_span(rule, at_ms);

        check_span(&span, at_ms);
        at_ms = span.end_ms;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const int64_t moments[] = {-62135596800000, -5000000000000, 0, 1767225600000,
                                      253370764800000};
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    const Zone *zone = NULL;
    Error error = {0};
    ZoneRule rule;
    bool is_rule = zone_rule_parse(arena_copy(arena, (const char *)data, size), &rule);

    if (!zone_parse((const char *)data, size, arena, &zone, &error))
        require(error.kind && error.message[0] && !zone);
    for (size_t i = 0; i < COUNT(moments); i++) {
        if (zone)
            check_zone(zone, moments[i]);
        if (is_rule)
            check_rule(&rule, moments[i]);
    }
    return 0;
}
