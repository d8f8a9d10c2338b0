#include "pipelines/step_job.h"

void step_columns_write_json(JsonWriter *json, const char *key, const DatasetColumns *columns)
{
    json_open_array(json, key);
    for (size_t i = 0; i < columns->count; i++) {
        json_open_object(json, NULL);
        json_text(json, "name", columns->items[i].name);
        json_text(json, "type", columns->items[i].type);
        json_text(json, "role", columns->items[i].role);
        json_close(json);
    }
    json_close(json);
}

bool step_columns_read_json(const JsonValue *array, Arena *arena, DatasetColumns *columns,
                            Error *error)
{
    static const JsonField fields[] = {
        {"name", JSON_TEXT, offsetof(DatasetColumn, name), JSON_REQUIRED, NULL},
        {"type", JSON_TEXT, offsetof(DatasetColumn, type), JSON_REQUIRED, NULL},
        {"role", JSON_TEXT, offsetof(DatasetColumn, role), JSON_REQUIRED, NULL},
        {0},
    };
    DatasetColumns read = {0};

    for (JsonWalk walk = json_walk(array); json_walk_next(&walk);) {
        DatasetColumn column = {0};

        if (!json_read_value(walk.value, fields, &column, arena, error))
            return false;
        *arena_push(arena, &read) = column;
    }
    *columns = read;
    return true;
}

void step_metrics_write_json(JsonWriter *json, const char *key, const Report *report)
{
    json_open_object(json, key);
    for (const MetricKind *kind = metric_kinds; kind->name; kind++)
        json_double(json, kind->name, metric_value(kind, report));
    json_close(json);
}
