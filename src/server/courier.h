/* courier.h: sends what is in the outbox (notify/delivery.h), on a thread of its own.
 *
 * It sleeps until the bell rings after a commit, or until a next try is due; where there are no
 * webhooks it never wakes and libcurl is not loaded. Each webhook has at most one delivery under
 * way, and all of them at the same time: a slow receiver holds up nobody else. What was answered
 * and is not written down yet when the process is killed is sent again, by the same id.
 */
#pragma once

#include "access/platform.h"

typedef struct Courier Courier;

/* The platform has an outbox. */
Courier *courier_create(const Platform *platform, Error *error) MUST_CHECK;

/* Gives what is under way two seconds; the rest is sent after the next start. NULL is nothing to
 * end. */
void courier_destroy(Courier *courier);
