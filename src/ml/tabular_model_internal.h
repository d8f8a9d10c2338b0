/* tabular_model_internal.h: what a TabularModel is made of, for the files tabular_*.c. */
#pragma once

#include "ml/calibration.h"
#include "ml/encoding.h"
#include "ml/forest.h"
#include "ml/linear.h"
#include "ml/tabular_model.h"
#include "ml/text_model_internal.h" /* RowRange */

typedef enum MemberKind { MEMBER_FOREST, MEMBER_LINEAR, MEMBER_KIND_COUNT } MemberKind;

/* Trees of each fold have the encoding of that fold, linear models one of their own. */
typedef struct TabularEncoding {
    MemberKind kind; /* of the members that read by it */
    Encoding encoding;
} TabularEncoding;

/* One of the models whose margins are added up. */
typedef struct TabularMember {
    MemberKind kind;
    size_t encoding; /* that it reads rows by */
    double weight;
    Forest forest;
    LinearModel linear;
    double *means; /* MEMBER_LINEAR: of the features, where contributions are counted from */
} TabularMember;

/* A date column that is read, as in ml/table.h. */
typedef struct TabularDate {
    size_t input;
    uint32_t parts;
    double first_day;
} TabularDate;

/* A text column, and who makes numbers of it: one margin for each of the table's. */
typedef struct TabularText {
    size_t input;
    TextModel *model; /* owned by the model of the table */
} TabularText;

struct TabularModel {
    Arena *arena;      /* owns the model itself, and bytes unless the caller does */
    const char *bytes; /* the file */
    size_t size;
    ClassNames classes; /* none: numbers */
    size_t positive, margin_count;
    ModelInput *inputs;
    size_t input_count;
    TabularDate *dates;
    size_t date_count;
    size_t date_cell_count; /* parts of all dates */
    TabularText *texts;
    size_t text_count;
    size_t cell_count; /* that encodings read: the inputs, the parts of each date, then the margins
                          of each text */
    TabularEncoding *encodings;
    size_t encoding_count;
    TabularMember *members;
    size_t member_count;
    double shift, scale;     /* numbers: the answer is shift + scale x margin */
    Calibration calibration; /* classes */
    double threshold;        /* two classes: the least probability of the positive one to name it */
};

/* Bounds for what a file may claim; a model that is built stays inside them. */
enum {
    TABULAR_CLASSES_MAX = 4096,
    TABULAR_CELLS_MAX = 2 * TABLE_COLUMNS_MAX,
    TABULAR_FOLDS_MAX = 10,
    TABULAR_PARTS_MAX = 5,                 /* of an ensemble; each with a member for each fold */
    TABULAR_ENSEMBLE_BYTES_MAX = 16 << 20, /* about: who would take it over that is left out */
    TABULAR_ENCODINGS_MAX = TABULAR_FOLDS_MAX + 1,
    TABULAR_MEMBERS_MAX = TABULAR_PARTS_MAX * TABULAR_FOLDS_MAX,
};

/* The model of these parts, which are needed no more; its own bytes, arena and size are not looked
 * at. */
TabularModel *tabular_model_of(const TabularModel *parts);

/* The columns of the frame that the inputs are, by input. */
bool tabular_model_bind(const TabularModel *model, const Frame *frame, Arena *arena,
                        const FrameColumn ***columns, Error *error) MUST_CHECK;

/* What rows have in the columns: cell_count cells each. */
void tabular_model_cells(const TabularModel *model, const FrameColumn *const *columns,
                         RowRange rows, Cell *cells);

/* ---- tabular_model_date.c ---- */

size_t tabular_date_cell_count(uint32_t parts);

/* The parts of their dates, behind the inputs. */
void tabular_model_date_cells(const TabularModel *model, const FrameColumn *const *columns,
                              RowRange rows, Cell *cells);

/* ---- tabular_model_text.c ---- */

/* The margins of their texts, behind those. */
void tabular_model_text_cells(const TabularModel *model, const FrameColumn *const *columns,
                              RowRange rows, Cell *cells);

static inline bool text_is_missing(TextRef text)
{
    return !text.bytes || text.length == 0;
}
