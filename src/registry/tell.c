/* tell.c: what webhooks are told of models, versions and prompts, in MLflow's words (see
 * docs/reference/webhook.md). Nothing is put together unless somebody wants it. */

#include <string.h>

#include "notify/delivery.h"
#include "registry/model_internal.h"

/* What is told. */
typedef struct Tale {
    const char *model;
    const char *version; /* NULL: not of a version */
    const char *description;
    bool has_description;
    const ParamList *tags; /* NULL: none are told */
    const char *template;  /* of a prompt's version */
    const char *source, *run_id;
    bool has_source;
    const char *alias; /* NULL: not of an alias */
    const Param *tag;  /* NULL: not of one; its value NULL: it was deleted */
} Tale;

/* Tags that only say that something is a prompt, and of which kind, are not told. */
static bool is_told(const Tale *tale, const Param *tag, bool is_prompt)
{
    return !is_prompt || (strcmp(tag->key, MODEL_PROMPT_TAG) != 0 &&
                          strcmp(tag->key, "_mlflow_prompt_type") != 0 &&
                          (!tale->version || strcmp(tag->key, MODEL_PROMPT_TEXT_TAG) != 0));
}

static void write_tags(JsonWriter *json, const Tale *tale, bool is_prompt)
{
    json_open_object(json, "tags");
    for (size_t i = 0; i < tale->tags->count; i++)
        if (is_told(tale, &tale->tags->items[i], is_prompt))
            json_text(json, tale->tags->items[i].key, tale->tags->items[i].value);
    json_close(json);
}

/* What a description of "" is to MLflow: of a version nothing, of a model an empty text. */
static void write_description(JsonWriter *json, const Tale *tale)
{
    bool is_missing = tale->version && !(tale->description && *tale->description);

    json_text(json, "description", is_missing ? NULL : tale->description);
}

/* The same without what may be long, for when all of it is too much. */
static const char *write_short(Scope *scope, const Tale *tale)
{
    JsonWriter *json = json_writer_create(scope->arena);

    json_open_object(json, NULL);
    json_text(json, "name", tale->model);
    if (tale->version)
        json_text(json, "version", tale->version);
    if (tale->tag)
        json_text(json, "key", tale->tag->key);
    json_bool(json, "is_shortened", true);
    json_close(json);
    return json_finish(json);
}

static const char *write_whole(Scope *scope, const Tale *tale, bool is_prompt)
{
    JsonWriter *json = json_writer_create(scope->arena);

    json_open_object(json, NULL);
    {
        json_text(json, "name", tale->model);
        if (tale->alias)
            json_text(json, "alias", tale->alias);
        if (tale->version)
            json_text(json, "version", tale->version);
        if (tale->tag)
            json_text(json, "key", tale->tag->key);
        if (tale->tag && tale->tag->value)
            json_text(json, "value", tale->tag->value);
        if (tale->has_source && is_prompt)
            json_text(json, "template", tale->template);
        if (tale->has_source && !is_prompt) {
            json_text(json, "source", tale->source);
            json_text(json, "run_id", tale->run_id);
        }
        if (tale->tags)
            write_tags(json, tale, is_prompt);
        if (tale->has_description)
            write_description(json, tale);
    }
    json_close(json);
    return json_finish(json);
}

static bool tell(Scope *scope, EventKind kind, const Tale *tale, bool is_prompt)
{
    const char *data = write_whole(scope, tale, is_prompt);

    if (strlen(data) > DELIVERY_DATA_BYTES_MAX)
        data = write_short(scope, tale);
    return delivery_raise(scope, kind, data);
}

/* Who is to hear of it: those who want this kind, or the prompt's kind of the same event. */
typedef struct Audience {
    EventKind kind;
    bool is_prompt;
    bool is_there;
} Audience;

/* model_tags NULL: the model is looked for, to know which. */
static bool find_audience(Scope *scope, EventKind kind, const char *name,
                          const ParamList *model_tags, Audience *audience)
{
    EventKind prompt_kind = (EventKind)(kind + EVENT_PROMPT_OFFSET);
    bool of_model = false, of_prompt = false, is_prompt;
    RegisteredModel model;

    *audience = (Audience){0};
    if (!delivery_is_wanted(scope, kind, &of_model) ||
        !delivery_is_wanted(scope, prompt_kind, &of_prompt))
        return false;
    if (!of_model && !of_prompt)
        return true;
    if (!model_tags && !model_find(scope, name, &model))
        return false;
    is_prompt = model_is_prompt(model_tags ? model_tags : &model.tags);
    *audience =
        (Audience){is_prompt ? prompt_kind : kind, is_prompt, is_prompt ? of_prompt : of_model};
    return true;
}

static bool tell_if_wanted(Scope *scope, EventKind kind, const Tale *tale,
                           const ParamList *model_tags)
{
    Audience audience;

    return find_audience(scope, kind, tale->model, model_tags, &audience) &&
           (!audience.is_there || tell(scope, audience.kind, tale, audience.is_prompt));
}

static const char *number_text(Scope *scope, int64_t number)
{
    return arena_format(scope->arena, "%lld", (long long)number);
}

bool model_tell_created(Scope *scope, const char *name, const char *description,
                        const ParamList *tags)
{
    Tale tale = {.model = name,
                 .description = description ? description : "",
                 .has_description = true,
                 .tags = tags};

    return tell_if_wanted(scope, EVENT_MODEL_CREATED, &tale, tags);
}

/* Only of prompts, as MLflow does. */
bool model_tell_tag(Scope *scope, const RegisteredModel *model, const Param *tag)
{
    EventKind kind = tag->value ? EVENT_PROMPT_TAG_SET : EVENT_PROMPT_TAG_DELETED;
    Tale tale = {.model = model->name, .tag = tag};
    bool is_wanted = false;

    if (!model_is_prompt(&model->tags))
        return true;
    return delivery_is_wanted(scope, kind, &is_wanted) &&
           (!is_wanted || tell(scope, kind, &tale, true));
}

bool model_version_tell_created(Scope *scope, const ModelVersion *version)
{
    Tale tale = {.model = version->model,
                 .version = number_text(scope, version->version),
                 .description = version->description,
                 .has_description = true,
                 .tags = &version->tags,
                 .template = param_find(&version->tags, MODEL_PROMPT_TEXT_TAG),
                 .source = version->source ? version->source : "",
                 .run_id = version->run_id,
                 .has_source = true};

    return tell_if_wanted(scope, EVENT_VERSION_CREATED, &tale, &version->tags);
}

static bool tell_version_tag(Scope *scope, const Audience *audience, const ModelVersion *version,
                             const Param *tag)
{
    Tale tale = {
        .model = version->model, .version = number_text(scope, version->version), .tag = tag};

    return tell(scope, audience->kind, &tale, audience->is_prompt);
}

bool model_version_tell_tags(Scope *scope, const ModelVersion *version, const ParamList *tags)
{
    Audience audience;

    if (!find_audience(scope, EVENT_VERSION_TAG_SET, version->model, NULL, &audience))
        return false;
    for (size_t i = 0; audience.is_there && i < tags->count; i++)
        if (!tell_version_tag(scope, &audience, version, &tags->items[i]))
            return false;
    return true;
}

bool model_version_tell_untagged(Scope *scope, const ModelVersion *version, const char *key)
{
    Audience audience;

    return find_audience(scope, EVENT_VERSION_TAG_DELETED, version->model, NULL, &audience) &&
           (!audience.is_there || tell_version_tag(scope, &audience, version, &(Param){key, NULL}));
}

bool model_tell_alias(Scope *scope, const RegisteredModel *model, const char *alias, int64_t number)
{
    Tale tale = {.model = model->name,
                 .alias = alias,
                 .version = number ? number_text(scope, number) : NULL};

    return tell_if_wanted(scope, number ? EVENT_ALIAS_CREATED : EVENT_ALIAS_DELETED, &tale,
                          &model->tags);
}
