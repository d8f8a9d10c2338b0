/* The dates of rows as the parts that the model of a table reads. */
#include "ml/tabular_model_internal.h"

size_t tabular_date_cell_count(uint32_t parts)
{
    size_t count = 0;

    for (size_t part = 0; part < DATE_PART_COUNT; part++)
        count += (parts & 1U << part) != 0;
    return count;
}

void tabular_model_date_cells(const TabularModel *model, const FrameColumn *const *columns,
                              RowRange rows, Cell *cells)
{
    for (size_t row = 0; row < rows.count; row++) {
        Cell *at = cells + row * model->cell_count + model->input_count;

        for (size_t i = 0; i < model->date_count; i++) {
            const TabularDate *date = &model->dates[i];
            Cell seconds = cell_of_date(columns[date->input]->texts[rows.first + row]);

            at += table_date_cells(seconds.number, date->parts, date->first_day, at);
        }
    }
}
