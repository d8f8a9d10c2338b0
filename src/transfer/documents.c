#include "transfer/documents.h"

#include <math.h>
#include <string.h>

void document_text(JsonWriter *json, const char *key, const char *text)
{
    if (text)
        json_bytes(json, key, text, strlen(text));
}

void document_time(JsonWriter *json, const char *key, int64_t time_ms)
{
    if (time_ms)
        json_int(json, key, time_ms);
}

void document_value(JsonWriter *json, const char *key, double value)
{
    if (isfinite(value))
        json_double(json, key, value);
    else if (isnan(value))
        json_text(json, key, "NaN");
    else
        json_text(json, key, value > 0 ? "Infinity" : "-Infinity");
}

void document_pair(JsonWriter *json, const char *key, const char *value)
{
    json_open_object(json, NULL);
    document_text(json, "key", key);
    document_text(json, "value", value ? value : "");
    json_close(json);
}

const char *document_run_status(const char *given)
{
    static const char *const words[] = {"RUNNING", "SCHEDULED", "FINISHED", "FAILED", "KILLED"};
    int64_t number = 0;

    if (!given || !text_to_int(given, &number))
        return given;
    return number >= 1 && number <= (int64_t)COUNT(words) ? words[number - 1] : NULL;
}

const char *document_model_status(int64_t number)
{
    static const char *const words[] = {"LOGGED_MODEL_PENDING", "LOGGED_MODEL_READY",
                                        "LOGGED_MODEL_UPLOAD_FAILED"};

    return number >= 1 && number <= (int64_t)COUNT(words) ? words[number - 1] : words[0];
}
