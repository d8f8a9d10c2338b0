/* recipe.h: what prepare.yaml says: how rows are made from files.
 *
 *     steps:
 *       - read: [january.csv, february.csv]     # or {files: a.tsv, delimiter: tab, ...}, {data:
 * trips@2}
 *       - compute: {duration: (dropoff - pickup) / 60}
 *       - filter: duration >= 1 && duration <= 60
 *       - rename: {PULocationID: from}
 *       - drop: [ehail_fee]
 *       - join: {read: zones.csv, on: {from: LocationID}, unmatched: keep}
 *       - resample: {time: day, every: 1d, columns: {amount: mean}, fill: interpolate}
 *       - concat: more.csv
 *       - shuffle: {seed: 42}
 *
 * Reading is pure; whatever is not listed is refused with its line and column. The columns are only
 * known when the rows are read.
 */
#pragma once

#include "base/yaml.h"

enum {
    RECIPE_BYTES_MAX = 256 * 1024,
    RECIPE_STEPS_MAX = 200,
    RECIPE_JOIN_ROWS_MAX = 5000000,
    RECIPE_RESAMPLE_ROWS_MAX = 10000000
};

typedef enum RecipeKind {
    RECIPE_READ,
    RECIPE_CONCAT,
    RECIPE_COMPUTE,
    RECIPE_FILTER,
    RECIPE_RENAME,
    RECIPE_DROP,
    RECIPE_JOIN,
    RECIPE_RESAMPLE,
    RECIPE_SHUFFLE,
    RECIPE_KIND_COUNT,
} RecipeKind;

extern const char *const recipe_kinds[RECIPE_KIND_COUNT];

/* Rows from files of one kind, or of a version of a data set. */
typedef struct RecipeSource {
    TextList files;      /* relative paths of plain parts, or patterns */
    const char *data;    /* "trips", "trips@2"; NULL: files */
    const char *options; /* JSON: how the files are read (DatasetOptions) */
} RecipeSource;

typedef struct RecipeStep {
    RecipeKind kind;
    const YamlNode *node; /* of what the step takes */
    RecipeSource source;  /* of read, concat, join */
    const YamlNode *map;  /* the pairs of compute, rename, join's on and resample's columns */
    const YamlNode *list; /* the columns of drop */
    const char *unmatched;
    int64_t seed;
    const char *time, *fill;
    int64_t every_us;
} RecipeStep;

typedef struct Recipe {
    RecipeStep *items;
    size_t count;
} Recipe;

bool recipe_read(const char *bytes, size_t size, Arena *arena, Recipe *recipe,
                 Error *error) MUST_CHECK;
