#include "server/application.h"

#include <stdlib.h>

#include "base/time.h"

bool application_open(const ApplicationSpec *spec, Application **application, Error *error)
{
    Application *opened = calloc(1, sizeof(*opened));

    if (!opened)
        abort();
    opened->demands_token = spec->demands_token;
    opened->started_at = time_now_ms();
    if (!platform_open(spec->folder, &opened->platform, error)) {
        application_close(opened);
        return false;
    }
    *application = opened;
    return true;
}

void application_close(Application *application)
{
    if (!application)
        return;
    platform_close(application->platform);
    free(application);
}
