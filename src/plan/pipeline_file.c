#include "plan/pipeline_file.h"

#include "plan/pipeline_internal.h"
#include "plan/pipeline_values.h"

/* Keys of a dvc.yaml that say what DVC shows: a run has no use for them. */
static void warn_unused(PipelineReader *reader)
{
    const FileParts *nodes = &reader->parts->nodes;
    const YamlNode *unused[] = {nodes->metrics, nodes->plots, nodes->artifacts, nodes->datasets};

    for (size_t i = 0; i < COUNT(unused); i++)
        if (unused[i])
            text_list_add(&reader->file->warnings, reader->fields.arena,
                          arena_format(reader->fields.arena, "line %zu: \"%s\" is for DVC alone",
                                       unused[i]->key_line, unused[i]->key));
}

static void index_data(PipelineReader *reader)
{
    const YamlNode *data = reader->parts->nodes.data;
    TextList names = {0};

    for (const YamlNode *node = data && data->type == YAML_MAP ? data->first : NULL; node;
         node = node->next)
        *arena_push(reader->fields.arena, &names) = node->key;
    reader->parts->data_index = name_index_create(&names, reader->fields.arena);
}

/* With the defaults alone a plan shows cycles, twin outputs and the like before anything is run.
 * Without a default, or with values of files, that must wait for the run. */
static bool check_plan(const PipelineFile *file, Error *error)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    const PlanRequest request = {0};
    Plan plan;

    for (size_t i = 0; i < file->params.count; i++)
        if (!file->params.items[i].fallback)
            return true;
    return file->parts->needs_files || pipeline_plan(file, &request, arena, &plan, error);
}

bool pipeline_file_read(const YamlNode *root, const PlanBuiltin builtins[], Arena *arena,
                        PipelineFile *file, Error *error)
{
    PipelineFile read = {.is_dvc = !yaml_member(root, "project"),
                         .parts = arena_new(arena, struct PipelineParts)};
    struct PipelineParts *parts = read.parts;
    PipelineReader reader = {.fields = {arena, error}, .file = &read, .parts = parts};

    parts->style = read.is_dvc ? TEMPLATE_DVC : TEMPLATE_PLAIN;
    parts->builtins = builtins;
    reader.fields.style = parts->style;
    if (!fields_read(&reader.fields, root, read.is_dvc ? dvc_fields : slipway_fields,
                     &parts->nodes))
        return false;
    index_data(&reader);
    warn_unused(&reader);
    if (!params_read(&reader) || !vars_check(&reader, parts->nodes.vars, &parts->needs_files) ||
        !triggers_read(&reader) || !stages_read(&reader) || !expressions_check(&reader) ||
        !check_plan(&read, error))
        return false;
    *file = read;
    return true;
}
