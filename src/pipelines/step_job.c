#include "pipelines/step_job.h"

void step_metrics_write_json(JsonWriter *json, const char *key, const Report *report)
{
    json_open_object(json, key);
    for (const MetricKind *kind = metric_kinds; kind->name; kind++)
        json_double(json, kind->name, metric_value(kind, report));
    json_close(json);
}
