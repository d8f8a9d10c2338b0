/* cron.h: a schedule of five fields: minute, hour, day of the month, month, day of the week.
 *
 *     0 3 * * 1         Mondays at 3
 *     30 9-17/2 1,15 * *
 *     0 0 * jan,jul mon-fri
 *
 * A field is a list of *, numbers, names and ranges, each with a step if one likes. Sunday is 0 and
 * 7. As in every cron, a day must fit both the day of the month and the day of the week, but when
 * neither of the two is "*", one of them is enough. Which instants these are is the clock's
 * business, not this reader's.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attributes.h"

typedef struct PlanCron {
    uint64_t minutes, hours, days, months, weekdays; /* bit n: the number n; months and days from 1,
                                                        weekdays from 0, Sunday */
    bool is_any_day, is_any_weekday;                 /* the field begins with "*" */
} PlanCron;

/* False on what is no such schedule. */
bool plan_cron_read(const char *text, PlanCron *cron) MUST_CHECK;
