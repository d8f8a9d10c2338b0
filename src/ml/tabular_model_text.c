/* The texts of rows as margins, by the text models that the model of a table holds. */
#include <math.h>

#include "ml/tabular_model_internal.h"

void tabular_model_text_cells(const TabularModel *model, const FrameColumn *const *columns,
                              RowRange rows, Cell *cells)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    size_t each = model->margin_count, at = model->input_count + model->date_cell_count;
    double *margins = arena_array(arena, double, rows.count *each);
    RowScratch scratch;

    for (size_t i = 0; i < model->text_count; i++, at += each) {
        const TabularText *text = &model->texts[i];
        const FrameColumn *column = columns[text->input];
        RowReader reader = row_reader_on(&scratch, text->model, arena);

        text_model_margins_of_rows(text->model, &column, rows, &reader, margins);
        for (size_t row = 0; row < rows.count; row++) {
            bool is_missing = text_is_missing(column->texts[rows.first + row]);

            for (size_t margin = 0; margin < each; margin++)
                cells[row * model->cell_count + at + margin].number =
                    is_missing ? NAN : margins[row * each + margin];
        }
    }
}
