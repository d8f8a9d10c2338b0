/* mlflow_file.c: the bytes of a file as an answer, and what is in a folder. */

#include <string.h>
#include <strings.h>

#include "api/mlflow.h"
#include "base/file.h"
#include "net/url.h"

/* By the end of the name, never by the bytes. Whatever is a text to readers is plain, as MLflow's
 * server has it, also where a browser would do more with it. */
static const struct {
    const char *type, *endings;
} content_types[] = {
    {"text/plain", " txt log err cfg conf cnf cf ini properties prop hocon toml yaml yml xml json "
                   "js py py3 csv tsv md rst ipynb MLmodel MLproject "},
    {"text/html", " html htm "},
    {"text/css", " css "},
    {"image/svg+xml", " svg "},
    {"image/png", " png "},
    {"image/jpeg", " jpg jpeg "},
    {"image/gif", " gif "},
    {"image/bmp", " bmp "},
    {"image/tiff", " tif tiff "},
    {"application/pdf", " pdf "},
    {"application/zip", " zip "},
    {"application/x-tar", " tar tgz "},
    {"audio/mpeg", " mp3 "},
    {"audio/x-wav", " wav "},
    {"video/mp4", " mp4 "},
    {"video/webm", " webm "},
};

static const char *content_type_of(const char *name, Arena *arena)
{
    const char *dot = strrchr(name, '.');
    const char *ending = arena_format(arena, " %s ", dot ? dot + 1 : name);

    for (size_t i = 0; i < COUNT(content_types); i++)
        if (strcasestr(content_types[i].endings, ending))
            return content_types[i].type;
    return "application/octet-stream";
}

static bool is_token(const char *name)
{
    for (; *name; name++)
        if (*name <= ' ' || *name >= 0x7f || strchr("()<>@,;:\\\"/[]?={}%*'", *name))
            return false;
    return true;
}

/* RFC 6266: who does not read the encoded name gets one of plain characters. */
static const char *disposition_of(const char *name, Arena *arena)
{
    char *plain = arena_text(arena, name);

    if (*name && is_token(name))
        return arena_format(arena, "attachment; filename=%s", name);
    for (char *at = plain; *at; at++)
        if (*at < ' ' || *at >= 0x7f || strchr("\\\"%", *at))
            *at = '_';
    return arena_format(arena, "attachment; filename=\"%s\"; filename*=UTF-8''%s", plain,
                        url_encode(arena, name));
}

/* Pages and drawings may hold scripts, which must not run with our origin: nothing is shown where
 * it comes from, and what is shown all the same is in a sandbox. */
bool mlflow_answer_file(Scope *scope, const TreeEntry *entry, Response *response)
{
    const char *name = path_name(entry->path);

    response->file = artifact_path(scope->platform->artifacts, entry->digest, scope->arena);
    response->content_type = content_type_of(name, scope->arena);
    response->headers[0] = (HttpPair){"Content-Disposition", disposition_of(name, scope->arena)};
    response->headers[1] = (HttpPair){"Content-Security-Policy", "default-src 'none'; sandbox"};
    return file_exists(response->file) ||
           fail(&scope->error, ERROR_INTERNAL, "the bytes of artifact \"%.200s\" are missing",
                entry->path);
}

bool mlflow_answer_place(Scope *scope, const ArtifactPlace *place, Response *response)
{
    TreeEntry entry;

    return artifact_place_file(scope, place, &entry) && mlflow_answer_file(scope, &entry, response);
}

static void write_name(JsonWriter *json, const ArtifactName *name, const char *folder, Arena *arena)
{
    json_open_object(json, NULL);
    json_text(json, "path",
              *folder ? arena_format(arena, "%s/%s", folder, name->name) : name->name);
    json_bool(json, "is_dir", name->is_folder);
    if (!name->is_folder)
        json_int(json, "file_size", name->size);
    json_close(json);
}

static void write_names(Scope *scope, const ArtifactNameList *list, const char *folder,
                        JsonWriter *json)
{
    if (!list->count)
        return;
    json_open_array(json, "files");
    for (size_t i = 0; i < list->count; i++)
        write_name(json, &list->items[i], folder, scope->arena);
    json_close(json);
}

/* One page of it; *from: where the next one begins, 0: there is none. */
static ArtifactNameList page_of(const ArtifactNameList *list, int64_t *from)
{
    enum { NAMES_MAX = 50000 };
    size_t start = (size_t)*from < list->count ? (size_t)*from : list->count;
    size_t left = list->count - start;

    *from = left > NAMES_MAX ? *from + NAMES_MAX : 0;
    return (ArtifactNameList){left ? list->items + start : NULL,
                              left > NAMES_MAX ? NAMES_MAX : left};
}

bool mlflow_answer_folder(Scope *scope, const ArtifactPlace *place, const MlflowFolder *folder,
                          Response *response)
{
    ArtifactNameList list;
    int64_t from = 0;

    if (!mlflow_read_page_token(scope, folder->page_token, &from) ||
        !artifact_place_list(scope, place, &list))
        return false;
    json_open_object(response->json, NULL);
    if (folder->root_uri) {
        list = page_of(&list, &from);
        json_text(response->json, "root_uri", folder->root_uri);
    }
    write_names(scope, &list, folder->path, response->json);
    if (from)
        mlflow_write_page_token(response->json, from);
    json_close(response->json);
    return true;
}
