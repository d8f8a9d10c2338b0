/* try_page.h: a page to ask an endpoint by hand. */
#pragma once

#include "api/route.h"

/* The same page for every endpoint: it reads the name from its own address. */
bool show_try_page(Scope *scope, const Request *request, Response *response);
