/* decide.h: the class that a row's probabilities name. */
#pragma once

#include <stddef.h>

/* Of two classes the positive one from its threshold on; of more the first of the most likely. */
static inline size_t class_decide(const double *probabilities, size_t class_count, size_t positive,
                                  double threshold)
{
    size_t best = 0;

    if (class_count == 2)
        return probabilities[positive] >= threshold ? positive : 1 - positive;
    for (size_t i = 1; i < class_count; i++)
        if (probabilities[i] > probabilities[best])
            best = i;
    return best;
}
