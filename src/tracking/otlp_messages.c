/* otlp_messages.c: the fields of OTLP's messages that are read, as opentelemetry-proto 1.x has
 * them. */

#include "tracking/otlp_internal.h"

static const OtlpMessage array_value, key_value_list, key_value;

static const OtlpField value_fields[] = {
    {1, "string_value", "stringValue", OTLP_TEXT},
    {2, "bool_value", "boolValue", OTLP_BOOL},
    {3, "int_value", "intValue", OTLP_INT},
    {4, "double_value", "doubleValue", OTLP_DOUBLE},
    {5, "array_value", "arrayValue", OTLP_MESSAGE, .message = &array_value},
    {6, "kvlist_value", "kvlistValue", OTLP_MESSAGE, .message = &key_value_list},
    {7, "bytes_value", "bytesValue", OTLP_BYTES},
    {0},
};

const OtlpMessage otlp_value = {value_fields, .is_choice = true};

static const OtlpField array_fields[] = {
    {1, "values", "values", OTLP_MESSAGE, true, &otlp_value},
    {0},
};

static const OtlpMessage array_value = {array_fields};

static const OtlpField key_value_fields[] = {
    {1, "key", "key", OTLP_TEXT},
    {2, "value", "value", OTLP_MESSAGE, .message = &otlp_value},
    {0},
};

static const OtlpMessage key_value = {key_value_fields};

static const OtlpField list_fields[] = {
    {1, "values", "values", OTLP_MESSAGE, true, &key_value},
    {0},
};

static const OtlpMessage key_value_list = {list_fields};

static const OtlpField event_fields[] = {
    {1, "time_unix_nano", "timeUnixNano", OTLP_FIXED64},
    {2, "name", "name", OTLP_TEXT},
    {3, "attributes", "attributes", OTLP_MESSAGE, true, &key_value},
    {0},
};

static const OtlpMessage event = {event_fields};

static const OtlpField link_fields[] = {
    {1, "trace_id", "traceId", OTLP_ID},
    {2, "span_id", "spanId", OTLP_ID},
    {3, "trace_state", "traceState", OTLP_TEXT},
    {4, "attributes", "attributes", OTLP_MESSAGE, true, &key_value},
    {6, "flags", "flags", OTLP_FIXED32},
    {0},
};

static const OtlpMessage link = {link_fields};

static const char *const status_words[] = {"STATUS_CODE_UNSET", "STATUS_CODE_OK",
                                           "STATUS_CODE_ERROR", NULL};

static const OtlpField status_fields[] = {
    {2, "message", "message", OTLP_TEXT},
    {3, "code", "code", OTLP_ENUM, .words = status_words},
    {0},
};

static const OtlpMessage status = {status_fields};

static const char *const kind_words[] = {"SPAN_KIND_UNSPECIFIED",
                                         "SPAN_KIND_INTERNAL",
                                         "SPAN_KIND_SERVER",
                                         "SPAN_KIND_CLIENT",
                                         "SPAN_KIND_PRODUCER",
                                         "SPAN_KIND_CONSUMER",
                                         NULL};

static const OtlpField span_fields[] = {
    {1, "trace_id", "traceId", OTLP_ID},
    {2, "span_id", "spanId", OTLP_ID},
    {3, "trace_state", "traceState", OTLP_TEXT},
    {4, "parent_span_id", "parentSpanId", OTLP_ID},
    {5, "name", "name", OTLP_TEXT},
    {6, "kind", "kind", OTLP_ENUM, .words = kind_words},
    {7, "start_time_unix_nano", "startTimeUnixNano", OTLP_FIXED64},
    {8, "end_time_unix_nano", "endTimeUnixNano", OTLP_FIXED64},
    {9, "attributes", "attributes", OTLP_MESSAGE, true, &key_value},
    {11, "events", "events", OTLP_MESSAGE, true, &event},
    {13, "links", "links", OTLP_MESSAGE, true, &link},
    {15, "status", "status", OTLP_MESSAGE, .message = &status},
    {16, "flags", "flags", OTLP_FIXED32},
    {0},
};

static const OtlpMessage span = {span_fields};

static const OtlpField scope_fields[] = {
    {2, "spans", "spans", OTLP_MESSAGE, true, &span},
    {0},
};

static const OtlpMessage scope_spans = {scope_fields};

static const OtlpField resource_fields[] = {
    {1, "attributes", "attributes", OTLP_MESSAGE, true, &key_value},
    {0},
};

static const OtlpMessage resource = {resource_fields};

static const OtlpField resource_spans_fields[] = {
    {1, "resource", "resource", OTLP_MESSAGE, .message = &resource},
    {2, "scope_spans", "scopeSpans", OTLP_MESSAGE, true, &scope_spans},
    {0},
};

static const OtlpMessage resource_spans = {resource_spans_fields};

static const OtlpField request_fields[] = {
    {1, "resource_spans", "resourceSpans", OTLP_MESSAGE, true, &resource_spans},
    {0},
};

const OtlpMessage otlp_request = {request_fields};
