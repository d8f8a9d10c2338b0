/* artifact_path.c: paths of MLflow's clients as keys, and whose they are. */

#include <ctype.h>
#include <string.h>

#include "base/file.h"
#include "tracking/artifact_place.h"
#include "tracking/run_internal.h"

enum { PATH_BYTES_MAX = 2048, DECODINGS_MAX = 10, RUN_ID_DIGITS = 32 };

static int hex_value(char digit)
{
    static const char digits[] = "0123456789abcdef";
    const char *found = digit ? strchr(digits, tolower((unsigned char)digit)) : NULL;

    return found ? (int)(found - digits) : -1;
}

/* A percent sign that no two digits follow is one. False when a NUL would come of it. */
static bool decode(const char *text, Arena *arena, const char **decoded)
{
    char *start = arena_alloc(arena, strlen(text) + 1, 1), *end = start;

    for (; *text; text++) {
        int high = *text == '%' ? hex_value(text[1]) : -1;
        int low = high < 0 ? -1 : hex_value(text[2]);

        *end = low < 0 ? *text : (char)(high * 16 + low);
        text += low < 0 ? 0 : 2;
        if (!*end++)
            return false;
    }
    *decoded = start;
    return true;
}

/* Control characters disturb terminals; a backslash separates folders for some, and "#" and "?" end
 * the path of a URL. */
static bool has_hazard(const char *path)
{
    for (; *path; path++)
        if ((unsigned char)*path < 0x20 || *path == 0x7f || strchr("\\#?", *path))
            return true;
    return false;
}

/* ";" begins parameters of a part of a URL's path to some, who then see what is before it. */
static bool has_hidden_part(const char *path)
{
    for (const char *part = path; part; part = strchr(part, '/')) {
        size_t dots;

        part += *part == '/';
        dots = strspn(part, ".");
        if (dots <= 2 && part[dots] == ';')
            return true;
    }
    return false;
}

/* "C:/x", "file:///x": a first part that ends in ":" makes a path absolute, or a URL. */
static bool is_plain(const char *path)
{
    size_t first = strcspn(path, "/");

    return strlen(path) <= PATH_BYTES_MAX && path_is_inside(path) &&
           text_is_utf8(path, strlen(path)) && !has_hazard(path) && !has_hidden_part(path) &&
           path[first - 1] != ':';
}

static bool fail_path(Scope *scope)
{
    return fail(&scope->error, ERROR_INVALID,
                "Invalid path: it must be relative and plain, as \"plots/roc.png\", of at most %d "
                "bytes",
                PATH_BYTES_MAX);
}

/* One "/" at its end says that it is a folder. */
static const char *without_slash(const char *path, Arena *arena)
{
    size_t length = strlen(path);

    return length > 1 && path[length - 1] == '/' ? arena_copy(arena, path, length - 1) : path;
}

bool artifact_path_read(Scope *scope, const char *given, const char **path)
{
    const char *now = given ? without_slash(given, scope->arena) : "", *next = NULL;

    if (!*now) {
        *path = "";
        return true;
    }
    for (int i = 0; i < DECODINGS_MAX; i++) {
        if (!is_plain(now) || !decode(now, scope->arena, &next))
            return fail_path(scope);
        if (strcmp(now, next) == 0) {
            *path = now;
            return true;
        }
        now = next;
    }
    return fail_path(scope);
}

/* "//host/0/x" and "/0//x/": 0/x */
static const char *plain_path(const char *path, Arena *arena)
{
    TextList parts = text_split(path, '/', arena);
    TextBuilder plain = {.arena = arena};

    for (size_t i = 0; i < parts.count; i++) {
        if (*parts.items[i] && plain.count)
            text_append(&plain, "/");
        text_append(&plain, parts.items[i]);
    }
    return text_built(&plain);
}

const char *artifact_path_of_uri(const char *uri, Arena *arena)
{
    static const char anchor[] = "/api/2.0/mlflow-artifacts/artifacts/";
    const char *path = NULL;

    if (text_has_prefix(uri, "mlflow-artifacts:"))
        path = uri + strlen("mlflow-artifacts:");
    else if (text_has_prefix(uri, "http:") || text_has_prefix(uri, "https:"))
        path = strstr(uri, anchor);
    if (!path)
        return NULL;
    if (*path == '/' && text_has_prefix(path, anchor))
        return plain_path(path + sizeof(anchor) - 1, arena);
    if (text_has_prefix(path, "//"))
        path = strchrnul(path + 2, '/');
    return plain_path(path, arena);
}

static void take_run(const Run *run, const char *path, ArtifactPlace *place)
{
    *place = (ArtifactPlace){
        .run_key = run->key,
        .run_id = run->id,
        .experiment = run->experiment_id,
        .uri = run->artifact_uri,
        .is_read_only = run->is_deleted,
        .path = path,
    };
}

/* Whether the path leads to files of this run, where "<run>/artifacts" ends at rest. */
static bool is_of_run(Scope *scope, const Run *run, const char *path, const char *rest)
{
    const char *root = artifact_path_of_uri(run->artifact_uri, scope->arena);
    size_t length = (size_t)(rest - path);

    return root && strlen(root) == length && strncmp(root, path, length) == 0;
}

/* The run whose id begins here, or *found false. */
static bool find_run(Scope *scope, const char *path, const char *id, ArtifactPlace *place,
                     bool *found)
{
    const char *rest = id + RUN_ID_DIGITS + strlen("/artifacts");
    Run run;

    *found = false;
    if (!run_find_row(scope, arena_copy(scope->arena, id, RUN_ID_DIGITS), &run)) {
        if (scope->error.kind != ERROR_NOT_FOUND)
            return false;
        scope->error = (Error){0};
        return true;
    }
    *found = is_of_run(scope, &run, path, rest);
    if (*found)
        take_run(&run, *rest ? rest + 1 : "", place);
    return true;
}

static bool is_run_part(const char *part)
{
    const char *behind = part + RUN_ID_DIGITS;

    return strspn(part, "0123456789abcdef") == RUN_ID_DIGITS &&
           text_has_prefix(behind, "/artifacts") && strchr("/", behind[strlen("/artifacts")]);
}

bool artifact_place_find(Scope *scope, const char *path, ArtifactPlace *place)
{
    bool found = false;

    for (const char *part = path; part; part = strchr(part, '/')) {
        part += *part == '/';
        if (!is_run_part(part))
            continue;
        if (!find_run(scope, path, part, place, &found))
            return false;
        if (found)
            return true;
    }
    *place = (ArtifactPlace){.path = path};
    return true;
}

bool artifact_place_of_run(Scope *scope, const char *run_id, const char *path, ArtifactPlace *place)
{
    Run run;

    if (!run_find_row(scope, run_id, &run))
        return false;
    take_run(&run, path, place);
    return true;
}

bool artifact_place_below(Scope *scope, const char *uri, const char *path, ArtifactPlace *place)
{
    const char *root = artifact_path_of_uri(uri, scope->arena);

    if (!root)
        return fail(&scope->error, ERROR_INVALID,
                    "the files at \"%.200s\" are not with this server", uri);
    if (*root && *path)
        root = arena_format(scope->arena, "%s/%s", root, path);
    else if (*path)
        root = path;
    return artifact_place_find(scope, root, place);
}

/* ---- who pays ---- */

static bool find_owner(Scope *scope, const char *sql, const char *id, int64_t *owner, bool *found)
{
    CLEANUP(query_finalize) Query query = db_query(scope->db, sql, db_text(id));

    *found = query_next(&query);
    if (*found)
        *owner = query_int(&query, 0);
    return query_end(&query, &scope->error);
}

/* "models/m-1/artifacts" and "traces/tr-1/artifacts", wherever these are. */
static bool find_named_owner(Scope *scope, const TextList *parts, int64_t *owner, bool *found)
{
    static const struct {
        const char *folder, *sql;
    } rows[] = {
        {"models", "SELECT experiment_id FROM logged_models WHERE id = $1"},
        {"traces", "SELECT experiment_id FROM traces WHERE id = $1"},
    };

    *found = false;
    for (size_t i = 0; i + 2 < parts->count; i++)
        for (size_t j = 0; j < COUNT(rows) && !*found; j++)
            if (text_equal(parts->items[i], rows[j].folder) &&
                text_equal(parts->items[i + 2], "artifacts") &&
                !find_owner(scope, rows[j].sql, parts->items[i + 1], owner, found))
                return false;
    return true;
}

/* "7/...": its usual place. */
static bool find_numbered_owner(Scope *scope, const TextList *parts, int64_t *owner, bool *found)
{
    int64_t number;

    *found = false;
    if (!parts->count || !text_to_int(parts->items[0], &number))
        return true;

    CLEANUP(query_finalize)
    Query query = db_query(scope->db, "SELECT id FROM experiments WHERE id = $1", db_int(number));

    *found = query_next(&query);
    if (*found)
        *owner = number;
    return query_end(&query, &scope->error);
}

bool artifact_place_owner(Scope *scope, const ArtifactPlace *place, int64_t *experiment_id)
{
    int64_t owner = 0;
    bool found = false;
    TextList parts;

    if (place->run_key) {
        *experiment_id = place->experiment;
        return true;
    }
    parts = text_split(place->path, '/', scope->arena);
    if (!find_named_owner(scope, &parts, &owner, &found) ||
        (!found && !find_numbered_owner(scope, &parts, &owner, &found)))
        return false;
    *experiment_id = found ? owner : 0;
    return true;
}
