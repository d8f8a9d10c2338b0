/* loss.h: what margins of one row cost, given its class: the negative logarithm of the probability
 * that they give it. */
#pragma once

#include <stddef.h>

/* Of the margin of the second class against the first; label: 0 or 1. */
double loss_of_two(double margin, int label);

/* By softmax. */
double loss_of_classes(const double *margins, size_t count, size_t label);
