#include "pipelines/made_with.h"

#include <sqlite3.h>
#include <sys/utsname.h>
#include <unistd.h>
#include <yaml.h>
#include <yyjson.h>

#include "base/version.h"

static void write_libraries(JsonWriter *json)
{
    json_open_object(json, "libraries");
    {
        json_text(json, "sqlite", sqlite3_libversion());
        json_text(json, "yyjson", YYJSON_VERSION_STRING);
        json_text(json, "libyaml", yaml_get_version_string());
    }
    json_close(json);
}

static void write_machine(JsonWriter *json)
{
    struct utsname system = {0};

    uname(&system);
    json_text(json, "system", system.sysname);
    json_text(json, "system_release", system.release);
    json_text(json, "processor", system.machine);
    json_int(json, "processor_count", sysconf(_SC_NPROCESSORS_ONLN));
}

const char *made_with_json(bool with_machine, Arena *arena)
{
    JsonWriter *json = json_writer_create(arena);

    json_open_object(json, NULL);
    {
        json_text(json, "slipway", SLIPWAY_VERSION);
        json_text(json, "compiler", __VERSION__);
        write_libraries(json);
        if (with_machine)
            write_machine(json);
    }
    json_close(json);
    return json_finish(json);
}
