/* The four BLAS functions that LIBLINEAR calls, so that no BLAS library (tens of megabytes and a
 * thread of its own) is linked. Names, parameters and meaning are the BLAS standard's; LIBLINEAR
 * only passes steps of 1. */
#include <math.h>

double ddot_(int *count, double *x, int *x_step, double *y, int *y_step);
int daxpy_(int *count, double *factor, double *x, int *x_step, double *y, int *y_step);
double dnrm2_(int *count, double *x, int *x_step);
int dscal_(int *count, double *factor, double *x, int *x_step);

double ddot_(int *count, double *x, int *x_step, double *y, int *y_step)
{
    double sum = 0;

    for (long i = 0; i < *count; i++)
        sum += x[i * *x_step] * y[i * *y_step];
    return sum;
}

int daxpy_(int *count, double *factor, double *x, int *x_step, double *y, int *y_step)
{
    for (long i = 0; i < *count; i++)
        y[i * *y_step] += *factor * x[i * *x_step];
    return 0;
}

double dnrm2_(int *count, double *x, int *x_step)
{
    return sqrt(ddot_(count, x, x_step, x, x_step));
}

int dscal_(int *count, double *factor, double *x, int *x_step)
{
    for (long i = 0; i < *count; i++)
        x[i * *x_step] *= *factor;
    return 0;
}
