/* duck_library.h: the functions of DuckDB's C library, found when they are first needed. */
#pragma once

#include "base/error.h"
#include "data/duck_header.h"

typedef struct DuckLibrary {
    __typeof__(duckdb_create_config) *create_config;
    __typeof__(duckdb_set_config) *set_config;
    __typeof__(duckdb_destroy_config) *destroy_config;
    __typeof__(duckdb_open_ext) *open_ext;
    __typeof__(duckdb_close) *close;
    __typeof__(duckdb_connect) *connect;
    __typeof__(duckdb_disconnect) *disconnect;
    __typeof__(duckdb_free) *free;
    __typeof__(duckdb_prepare) *prepare;
    __typeof__(duckdb_prepare_error) *prepare_error;
    __typeof__(duckdb_destroy_prepare) *destroy_prepare;
    __typeof__(duckdb_bind_int64) *bind_int64;
    __typeof__(duckdb_bind_double) *bind_double;
    __typeof__(duckdb_bind_varchar) *bind_varchar;
    __typeof__(duckdb_bind_null) *bind_null;
    __typeof__(duckdb_pending_prepared_streaming) *pending_prepared_streaming;
    __typeof__(duckdb_pending_error) *pending_error;
    __typeof__(duckdb_destroy_pending) *destroy_pending;
    __typeof__(duckdb_execute_pending) *execute_pending;
    __typeof__(duckdb_result_error) *result_error;
    __typeof__(duckdb_result_error_type) *result_error_type;
    __typeof__(duckdb_destroy_result) *destroy_result;
    __typeof__(duckdb_column_count) *column_count;
    __typeof__(duckdb_fetch_chunk) *fetch_chunk;
    __typeof__(duckdb_destroy_data_chunk) *destroy_data_chunk;
    __typeof__(duckdb_data_chunk_get_size) *data_chunk_get_size;
    __typeof__(duckdb_data_chunk_get_vector) *data_chunk_get_vector;
    __typeof__(duckdb_vector_get_data) *vector_get_data;
    __typeof__(duckdb_vector_get_validity) *vector_get_validity;
    __typeof__(duckdb_appender_create) *appender_create;
    __typeof__(duckdb_appender_error) *appender_error;
    __typeof__(duckdb_appender_end_row) *appender_end_row;
    __typeof__(duckdb_appender_close) *appender_close;
    __typeof__(duckdb_appender_destroy) *appender_destroy;
    __typeof__(duckdb_append_int64) *append_int64;
    __typeof__(duckdb_append_varchar_length) *append_varchar_length;
    __typeof__(duckdb_append_null) *append_null;
} DuckLibrary;

/* Looks in $SLIPWAY_DUCKDB, beside the program, in its lib folder, then where the loader looks. The
 * library stays open until the process ends. */
const DuckLibrary *duck_library_open(Error *error) MUST_CHECK;
