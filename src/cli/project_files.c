#include "cli/project_files.h"

#include <string.h>

#include "base/file.h"
#include "base/process.h"

enum { GIT_TIMEOUT_MS = 60000 };

typedef struct Lines {
    Arena *arena;
    TextList list;
} Lines;

static void take_line(void *context, const char *line)
{
    Lines *lines = context;

    text_list_add(&lines->list, lines->arena, arena_text(lines->arena, line));
}

/* What git prints, by lines; false when it fails or is not there. words: up to five, then NULL. */
static bool ask_git(Cli *cli, const char *folder, const char *const words[5], TextList *lines)
{
    const char *const arguments[] = {"/usr/bin/env", "git",    "-c",     "core.quotePath=off",
                                     "-C",           folder,   words[0], words[1],
                                     words[2],       words[3], words[4], NULL};
    Lines taken = {.arena = cli->arena};
    ProcessSpec spec = {.arguments = arguments,
                        .timeout_ms = GIT_TIMEOUT_MS,
                        .on_line = take_line,
                        .context = &taken};
    ProcessResult result;
    Error ignored = {0};

    *lines = (TextList){0};
    if (!process_run(&spec, cli->arena, &result, &ignored) || result.exit_code != 0)
        return false;
    *lines = taken.list;
    return true;
}

static const char *first_line(Cli *cli, const char *folder, const char *const words[5])
{
    TextList lines;

    return ask_git(cli, folder, words, &lines) && lines.count ? lines.items[0] : NULL;
}

/* A file that is in the index and was removed is not there to be sent. */
static void keep_files(Cli *cli, const char *folder, const TextList *names, TextList *paths)
{
    for (size_t i = 0; i < names->count; i++)
        if (file_exists(cli_format(cli, "%s/%s", folder, names->items[i])) &&
            !folder_exists(cli_format(cli, "%s/%s", folder, names->items[i])))
            text_list_add(paths, cli->arena, names->items[i]);
}

static bool list_git(Cli *cli, const char *folder, ProjectFiles *files)
{
    static const char *const list[5] = {"ls-files", "--cached", "--others", "--exclude-standard"};
    static const char *const commit[5] = {"rev-parse", "--verify", "--quiet", "HEAD"};
    static const char *const branch[5] = {"symbolic-ref", "--short", "--quiet", "HEAD"};
    static const char *const status[5] = {"status", "--porcelain", "."};
    TextList names, changed;

    if (!ask_git(cli, folder, list, &names) || !names.count)
        return false;
    keep_files(cli, folder, &names, &files->paths);
    files->commit = first_line(cli, folder, commit);
    files->branch = first_line(cli, folder, branch);
    files->is_dirty = ask_git(cli, folder, status, &changed) && changed.count > 0;
    return true;
}

static bool is_left_out(Cli *cli, const char *path)
{
    const char *data = path_name(cli->folder);
    size_t length = strlen(data);

    return text_has_prefix(path, ".git/") ||
           (strncmp(path, data, length) == 0 && path[length] == '/');
}

bool project_files_list(Cli *cli, const char *folder, ProjectFiles *files)
{
    TextList paths = {0};

    *files = (ProjectFiles){0};
    if (list_git(cli, folder, files))
        return true;
    if (!folder_walk(folder, cli->arena, &paths, &cli->error))
        return false;
    for (size_t i = 0; i < paths.count; i++)
        if (!is_left_out(cli, paths.items[i]))
            text_list_add(&files->paths, cli->arena, paths.items[i]);
    return true;
}
