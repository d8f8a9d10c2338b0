/* number.h: numbers as text. */
#pragma once

enum { NUMBER_TEXT_SIZE = 32 };

/* The shortest decimal text that strtod() reads as the same number; value must be finite. It looks
 * as printf's %g: 0.1, -3, 1e-07, 1e+22. */
const char *number_format(double value, char text[NUMBER_TEXT_SIZE]);
