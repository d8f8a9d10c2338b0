/* endpoint_openapi.h: an endpoint's own API description: OpenAPI 3.0.3 from the model that serves.
 *
 * Columns, kinds and classes are those of the loaded model, so what it describes is what answers.
 */
#pragma once

#include "serving/snapshot.h"

/* served has a loaded model. */
void endpoint_openapi_write(JsonWriter *json, const ServedEndpoint *served, Arena *arena);
