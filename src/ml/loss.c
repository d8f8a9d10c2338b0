#include "ml/loss.h"

#include <math.h>

double loss_of_two(double margin, int label)
{
    double x = label == 1 ? margin : -margin;

    return x > 0 ? log1p(exp(-x)) : log1p(exp(x)) - x;
}

double loss_of_classes(const double *margins, size_t count, size_t label)
{
    double most = margins[0], sum = 0;

    for (size_t i = 1; i < count; i++)
        most = fmax(most, margins[i]);
    for (size_t i = 0; i < count; i++)
        sum += exp(margins[i] - most);
    return log(fmax(sum, 1)) + most - margins[label]; /* the largest adds 1 */
}
