/* version.h: the version of this program. */
#pragma once

#define SLIPWAY_VERSION "0.1.0"
