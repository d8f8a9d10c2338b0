/* What guardrails say of real tables, as they are known: which columns leak, and that honest ones
 * do not. SLIPWAY_DATA names the folder. */
#include "base/file.h"
#include "ml/guardrail.h"
#include "tests/test.h"

enum { FILE_BYTES_MAX = 16 << 20, COLUMNS_MAX = 64 };

typedef struct RealTable {
    const char *path, *target;
    const char *ignored;  /* columns that whoever knows the data leaves out: "a,b"; or "" */
    const char *expected; /* "kind column; ..." in the order in which it is said */
    bool is_number;
} RealTable;

/* A file of plain values between commas. */
typedef struct Table {
    TextList names;
    const char ***cells; /* by column and row */
    size_t row_count;
} Table;

static void read_cells(char *text, Table *table, Arena *arena)
{
    size_t most = 0;

    for (const char *at = text; *at; at++)
        most += *at == '\n';
    table->cells = arena_array(arena, const char **, table->names.count);
    for (size_t i = 0; i < table->names.count; i++)
        table->cells[i] = arena_array(arena, const char *, most + 1);
    for (char *line; (line = strsep(&text, "\n")) && *line; table->row_count++)
        for (size_t i = 0; i < table->names.count; i++)
            table->cells[i][table->row_count] = strsep(&line, ",");
}

static bool read_table(const char *name, Arena *arena, Table *table)
{
    const char *root = getenv("SLIPWAY_DATA"), *bytes;
    const char *path = arena_format(arena, "%s/%s", root ? root : "../shared/data", name);
    size_t size;
    char *text;
    Error error;

    if (!file_read(path, FILE_BYTES_MAX, arena, &bytes, &size, &error)) {
        printf("SKIP: %s is not there\n", path);
        return false;
    }
    text = arena_copy(arena, bytes, size);
    for (char *to = text, *from = text; (*to = *from); from++)
        to += *from != '\r';
    table->names = text_split(strsep(&text, "\n"), ',', arena);
    read_cells(text, table, arena);
    return true;
}

static FrameColumn column_of(const Table *table, size_t at, Arena *arena)
{
    FrameColumn column = {table->names.items[at], COLUMN_NUMBER, NULL, NULL};
    double *numbers = arena_array(arena, double, table->row_count + 1);
    TextRef *texts = arena_array(arena, TextRef, table->row_count + 1);

    for (size_t row = 0; row < table->row_count; row++) {
        const char *cell = table->cells[at][row];

        numbers[row] = NAN;
        if (!cell || !*cell)
            continue;
        texts[row] = (TextRef){cell, strlen(cell)};
        if (!text_to_double(cell, &numbers[row]))
            column.kind = COLUMN_CATEGORY;
    }
    if (column.kind == COLUMN_NUMBER)
        column.numbers = numbers;
    else
        column.texts = texts;
    return column;
}

static size_t place_of(const TextList *names, const char *name)
{
    for (size_t i = 0; i < names->count; i++)
        if (text_equal(names->items[i], name))
            return i;
    EXPECT(false); /* the file has its target */
    return 0;
}

static Target target_of(const Table *table, const RealTable *real, Arena *arena)
{
    const char **cells = table->cells[place_of(&table->names, real->target)];
    int *labels = arena_array(arena, int, table->row_count + 1);
    ClassNames *classes = arena_new(arena, ClassNames);
    TextList names = {0};

    if (real->is_number)
        return (Target){.numbers =
                            column_of(table, place_of(&table->names, real->target), arena).numbers};
    for (size_t row = 0; row < table->row_count; row++)
        if (!text_list_has(&names, cells[row]))
            text_list_add(&names, arena, cells[row]);
    for (size_t row = 0; row < table->row_count; row++)
        labels[row] = (int)place_of(&names, cells[row]);
    *classes = (ClassNames){names.items, names.count};
    return (Target){labels, classes, NULL};
}

static Frame frame_of(const Table *table, const RealTable *real, Arena *arena)
{
    FrameColumn *columns = arena_array(arena, FrameColumn, COLUMNS_MAX);
    TextList ignored = text_split(real->ignored, ',', arena);
    Frame frame = {columns, 0, table->row_count};

    for (size_t i = 0; i < table->names.count; i++)
        if (!text_equal(table->names.items[i], real->target) &&
            !text_list_has(&ignored, table->names.items[i]))
            columns[frame.column_count++] = column_of(table, i, arena);
    return frame;
}

static void print_found(const char *path, const GuardrailList *list)
{
    printf("%s\n", path);
    for (size_t i = 0; i < list->count; i++)
        printf("  %s\n", list->items[i].sentence);
}

/* "leak registered; id instant" */
static const char *summary_of(const GuardrailList *list, Arena *arena)
{
    static const char *const kinds[] = {"copy",      "leak",      "strongest", "id",
                                        "duplicate", "imbalance", "repeated",  "contradiction"};
    TextBuilder text = {.arena = arena};

    for (size_t i = 0; i < list->count; i++) {
        const Guardrail *one = &list->items[i];
        const char *about = one->column ? one->column : one->other;

        text_append_format(&text, "%s%s%s%s", i ? "; " : "", kinds[one->kind], about ? " " : "",
                           about ? about : "");
    }
    return text_built(&text);
}

static void expect_said(const RealTable *real)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Table table = {0};
    GuardrailList list;
    Target target;
    Frame frame;

    if (!read_table(real->path, arena, &table))
        return;
    target = target_of(&table, real, arena);
    frame = frame_of(&table, real, arena);
    list = guardrail_look(&frame, &target, false, arena);
    print_found(real->path, &list);
    EXPECT_TEXT(summary_of(&list, arena), real->expected);
}

static void test_of_real_tables_that_is_said_which_is_known_of_them(void)
{
    static const RealTable tables[] = {
        {"bank-marketing/bankmarketing_train.csv", "y", "",
         "duplicate cons.conf.idx; strongest duration; imbalance yes"},
        {"bank-marketing/bankmarketing_train.csv", "y", "duration",
         "duplicate cons.conf.idx; repeated; imbalance yes"},
        {"adult-income/adult-train.csv", "income", "", "duplicate education-num"},
        {"credit-default/UCI_Credit_Card.csv", "default_next_month", "", "id ID"},
        {"california-housing/housing.csv", "median_house_value", "", "strongest median_income",
         true},
        {"bike-sharing/hour.csv", "cnt", "", "id instant; leak registered", true},
        {"wine-quality/winequality-red.csv", "quality", "", "repeated", true},
        {"covertype-10k/covtype_sample.csv", "Cover_Type", "", "strongest Elevation; imbalance 4"},
        {"elec2-drift/elec.csv", "class", "", "strongest nswprice"},
    };

    for (size_t i = 0; i < COUNT(tables); i++)
        expect_said(&tables[i]);
}

/* The target itself in another column, and under other names. */
static void test_a_planted_copy_is_found_among_real_columns(void)
{
    static const RealTable bank = {"bank-marketing/bankmarketing_train.csv", "y", "duration", ""};
    static const char *const renamed[] = {"0", "1"};
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Table table = {0};
    FrameColumn *columns;
    TextRef *texts, *others;
    GuardrailList list;
    Target target;
    Frame frame;

    if (!read_table(bank.path, arena, &table))
        return;
    target = target_of(&table, &bank, arena);
    frame = frame_of(&table, &bank, arena);
    columns = arena_array(arena, FrameColumn, frame.column_count + 2);
    memcpy(columns, frame.columns, frame.column_count * sizeof(FrameColumn));
    texts = arena_array(arena, TextRef, table.row_count);
    others = arena_array(arena, TextRef, table.row_count);
    for (size_t row = 0; row < table.row_count; row++) {
        const char *name = table.cells[place_of(&table.names, bank.target)][row];

        texts[row] = (TextRef){name, strlen(name)};
        others[row] = (TextRef){renamed[strcmp(name, "yes") == 0], 1};
    }
    columns[frame.column_count++] = (FrameColumn){"again", COLUMN_CATEGORY, texts, NULL};
    columns[frame.column_count++] = (FrameColumn){"coded", COLUMN_CATEGORY, others, NULL};
    frame.columns = columns;
    list = guardrail_look(&frame, &target, false, arena);
    EXPECT_TEXT(summary_of(&list, arena),
                "copy again; duplicate cons.conf.idx; leak coded; repeated; imbalance yes");
}

int main(int count, char **arguments)
{
    static const Test tests[] = {
        TEST(test_of_real_tables_that_is_said_which_is_known_of_them),
        TEST(test_a_planted_copy_is_found_among_real_columns),
        {0},
    };

    return test_main(tests, count, arguments);
}
