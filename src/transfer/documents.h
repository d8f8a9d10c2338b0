/* documents.h: what readers write documents with: texts of which nobody has promised that they are
 * UTF-8, and things that are left out where there is nothing to say. */
#pragma once

#include "transfer/transfer.h"

void document_text(JsonWriter *json, const char *key, const char *text); /* NULL: nothing */
void document_time(JsonWriter *json, const char *key, int64_t time_ms);  /* 0: nothing */

/* NaN and infinities as texts. */
void document_value(JsonWriter *json, const char *key, double value);

/* {"key": ..., "value": ...} */
void document_pair(JsonWriter *json, const char *key, const char *value);

/* "FINISHED" of what MLflow numbers from 1: RUNNING, SCHEDULED, FINISHED, FAILED, KILLED; a word
 * stays. */
const char *document_run_status(const char *given);

/* "LOGGED_MODEL_READY" of 2. */
const char *document_model_status(int64_t number);
