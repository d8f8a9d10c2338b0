#include "pipelines/git.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/process.h"

enum { GIT_TIMEOUT_MS = 2 * 60 * 1000, LOOK_TIMEOUT_MS = 30 * 1000 };

/* Filters and the like are of the repository's attributes and somebody's configuration together. */
#define NO_CONFIGURATION "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_NOSYSTEM=1"

static const char *const environment[] = {
    "/usr/bin/env",
    "-u",
    "GIT_DIR",
    "-u",
    "GIT_WORK_TREE",
    "GIT_TERMINAL_PROMPT=0",
    "GIT_OPTIONAL_LOCKS=0",
    "GIT_ALLOW_PROTOCOL=https:http:ssh:git:file",
    "GIT_SSH_COMMAND=ssh -o BatchMode=yes",
    "LC_ALL=C",
};

/* ---- what may be named ---- */

/* "https://TOKEN@host/...", "ssh://user:password@host/...": a name alone is for ssh. */
static bool has_secret(const char *repository)
{
    const char *name = strstr(repository, "://"), *at;

    if (!name)
        return false;
    name += strlen("://");
    at = memchr(name, '@', strcspn(name, "/?#"));
    return at && (!text_has_prefix(repository, "ssh://") || memchr(name, ':', (size_t)(at - name)));
}

bool git_repository_check(const char *repository, Error *error)
{
    static const char *const schemes[] = {"https://", "http://", "ssh://", "git://", "/"};
    const char *at = strchr(repository, '@'), *colon = strchr(repository, ':');
    bool is_known = at && colon && at < colon && !strstr(repository, "://");

    for (size_t i = 0; i < COUNT(schemes); i++)
        is_known = is_known || text_has_prefix(repository, schemes[i]);
    for (const char *byte = repository; *byte; byte++)
        is_known = is_known && (unsigned char)*byte > ' ' && *byte != 127;
    if (has_secret(repository))
        return fail_field(
            error, "repository",
            "a repository's URL holds no password and no token, for all who read the "
            "audit trail see it: give the server a key or a credential helper of git");
    if (is_known && *repository != '-' && strlen(repository) <= GIT_REPOSITORY_BYTES_MAX)
        return true;
    return fail_field(error, "repository",
                      "a repository is an absolute path, or a URL with https, http, ssh or git, or "
                      "user@host:path, without blanks, of at most %d bytes",
                      GIT_REPOSITORY_BYTES_MAX);
}

bool git_commit_is_valid(const char *commit)
{
    size_t length = strlen(commit);

    return (length == GIT_COMMIT_DIGITS || length == 64) &&
           strspn(commit, "0123456789abcdef") == length;
}

/* ---- running it ---- */

typedef struct GitCall {
    TextList arguments;
    unsigned timeout_ms;
    void (*on_line)(void *context, const char *line);
    void *context;
} GitCall;

/* The first that says what is fatal; what git says behind it is advice. */
static const char *reason_of(const char *text, Arena *arena)
{
    TextList lines = text_split(text, '\n', arena);

    for (size_t i = 0; i < lines.count; i++)
        if (text_has_prefix(lines.items[i], "fatal: "))
            return lines.items[i] + strlen("fatal: ");
    for (size_t i = lines.count; i-- > 0;)
        if (*lines.items[i])
            return lines.items[i];
    return "it said nothing";
}

/* words: end with NULL; the first may be a variable of the environment. */
static GitCall call_of(const Git *git, const char *variable, const char *const *words)
{
    GitCall call = {.timeout_ms = GIT_TIMEOUT_MS};

    for (size_t i = 0; i < COUNT(environment); i++)
        text_list_add(&call.arguments, git->arena, environment[i]);
    if (variable)
        text_list_add(&call.arguments, git->arena, variable);
    for (; *words; words++)
        text_list_add(&call.arguments, git->arena, *words);
    return call;
}

static bool run(const Git *git, GitCall *call, const char *what, Error *error)
{
    ProcessSpec spec = {.timeout_ms = call->timeout_ms,
                        .priority = PRIORITY_LOW,
                        .on_line = call->on_line,
                        .context = call->context,
                        .cancelled = git->stopped};
    ProcessResult result;

    *arena_push(git->arena, &call->arguments) = NULL;
    spec.arguments = call->arguments.items;
    if (!process_run(&spec, git->arena, &result, error))
        return false;
    if (result.exit_code == 0)
        return true;
    if (result.timed_out)
        return fail(error, ERROR_UNAVAILABLE, "git %s took over %u seconds", what,
                    call->timeout_ms / 1000);
    return fail(error, ERROR_UNAVAILABLE, "git %s: %.300s", what,
                reason_of(result.error_output, git->arena));
}

static bool run_words(const Git *git, const char *variable, const char *const *words,
                      const char *what, Error *error)
{
    GitCall call = call_of(git, variable, words);

    return run(git, &call, what, error);
}

/* ---- what there is ---- */

typedef struct BranchReader {
    Arena *arena;
    GitBranchList list;
} BranchReader;

static void take_branch(void *context, const char *line)
{
    BranchReader *reader = context;
    const char *tab = strchr(line, '\t');
    const char *commit = tab ? arena_copy(reader->arena, line, (size_t)(tab - line)) : "";

    if (git_commit_is_valid(commit) && reader->list.count < GIT_BRANCHES_MAX)
        *arena_push(reader->arena, &reader->list) =
            (GitBranch){arena_text(reader->arena, tab + 1), commit};
}

bool git_list_branches(const Git *git, GitBranchList *list, Error *error)
{
    const char *const words[] = {"git", "ls-remote", "--heads", "--", git->repository, NULL};
    GitCall call = call_of(git, NULL, words);
    BranchReader reader = {.arena = git->arena};

    call.timeout_ms = LOOK_TIMEOUT_MS;
    call.on_line = take_branch;
    call.context = &reader;
    if (!run(git, &call, "ls-remote", error))
        return false;
    *list = reader.list;
    return true;
}

bool git_fetch(const Git *git, Error *error)
{
    const char *folder = arena_format(git->arena, "--git-dir=%s", git->folder);
    const char *const init[] = {"git", "init", "--quiet", "--bare", "--", git->folder, NULL};
    const char *const fetch[] = {"git",       folder,          "-c",
                                 "gc.auto=0", "fetch",         "--quiet",
                                 "--no-tags", "--force",       "--no-recurse-submodules",
                                 "--",        git->repository, "+refs/heads/*:refs/heads/*",
                                 NULL};

    if (!folder_exists(git->folder) &&
        (!folder_make(git->folder, error) || !run_words(git, NULL, init, "init", error)))
        return false;
    return run_words(git, NULL, fetch, "fetch", error);
}

/* ---- the files of a commit ---- */

typedef struct TreeSize {
    int64_t bytes;
    size_t files;
} TreeSize;

/* "100644 blob DIGEST     SIZE\tPATH" */
static void add_size(void *context, const char *line)
{
    TreeSize *size = context;
    const char *tab = strchr(line, '\t'), *digits = tab;
    int64_t bytes = 0;

    while (digits && digits > line && digits[-1] >= '0' && digits[-1] <= '9')
        digits--;
    for (; digits && digits < tab && bytes <= GIT_TREE_BYTES_MAX; digits++)
        bytes = 10 * bytes + (*digits - '0');
    size->files++;
    if (size->bytes <= GIT_TREE_BYTES_MAX)
        size->bytes += bytes;
}

static bool check_size(const Git *git, const char *folder, const char *commit, Error *error)
{
    const char *const words[] = {"git", folder, "ls-tree", "-r", "-l", commit, NULL};
    GitCall call = call_of(git, NULL, words);
    TreeSize size = {0};

    call.on_line = add_size;
    call.context = &size;
    if (!run(git, &call, "ls-tree", error))
        return false;
    if (size.files > GIT_FILES_MAX || size.bytes > GIT_TREE_BYTES_MAX)
        return fail(error, ERROR_TOO_LARGE,
                    "commit %.12s has more than %d files, or more than %lld bytes", commit,
                    GIT_FILES_MAX, (long long)GIT_TREE_BYTES_MAX);
    return true;
}

static bool has_commit(const Git *git, const char *folder, const char *commit)
{
    const char *const words[] = {
        "git", folder, "cat-file", "-e", arena_format(git->arena, "%s^{commit}", commit), NULL};
    Error ignored = {0};

    return run_words(git, NULL, words, "cat-file", &ignored);
}

/* ---- people ---- */

#define PEOPLE_FORMAT "--format=%an%n%ae%n%cn%n%ce"

enum { LINES_OF_COMMIT = 4 }; /* of that format */

typedef struct PeopleRead {
    Arena *arena;
    GitPeople *people;
    size_t lines;
} PeopleRead;

static void take_person(void *context, const char *line)
{
    PeopleRead *read = context;
    TextList *list = &read->people->list;

    if (read->lines++ >= (size_t)GIT_COMMITS_MAX * LINES_OF_COMMIT)
        read->people->is_whole = false;
    if (!*line || !read->people->is_whole || text_list_has(list, line))
        return;
    if (list->count == GIT_PEOPLE_MAX)
        read->people->is_whole = false;
    else
        text_list_add(list, read->arena, arena_text(read->arena, line));
}

static bool read_people(const Git *git, const char *const words[], GitPeople *people, Error *error)
{
    GitCall call = call_of(git, NULL, words);
    PeopleRead read = {.arena = git->arena, .people = people};

    *people = (GitPeople){.is_whole = true};
    call.on_line = take_person;
    call.context = &read;
    return run(git, &call, "log", error);
}

bool git_people_of(const Git *git, const char *commit, GitPeople *people, Error *error)
{
    const char *folder = arena_format(git->arena, "--git-dir=%s", git->folder);
    const char *const words[] = {NO_CONFIGURATION, "git",         folder, "show",
                                 "--no-patch",     PEOPLE_FORMAT, commit, NULL};

    return read_people(git, words, people, error);
}

bool git_people_since(const Git *git, const char *base, const char *commit, GitPeople *people,
                      Error *error)
{
    const char *folder = arena_format(git->arena, "--git-dir=%s", git->folder);
    const char *most = arena_format(git->arena, "--max-count=%d", GIT_COMMITS_MAX + 1);
    const char *not_behind = arena_format(git->arena, "^%s", base);
    const char *const words[] = {NO_CONFIGURATION, "git",  folder,     "log", most,
                                 PEOPLE_FORMAT,    commit, not_behind, NULL};

    if (!has_commit(git, folder, base))
        return fail(error, ERROR_NOT_FOUND, "commit %.12s is not in the repository", base);
    return read_people(git, words, people, error);
}

/* git goes to the folder of the files, so that paths must not start from here. */
static bool write_files(const Git *git, const char *commit, const char *target, Error *error)
{
    char copy[PATH_MAX], whole[PATH_MAX];

    if (!realpath(git->folder, copy))
        return fail_errno(error, "find", git->folder);
    if (!realpath(target, whole))
        return fail_errno(error, "find", target);
    const char *folder = arena_format(git->arena, "--git-dir=%s", copy);
    const char *index = arena_format(git->arena, "GIT_INDEX_FILE=%s.index", whole);
    const char *work = arena_format(git->arena, "--work-tree=%s", whole);
    const char *const read[] = {NO_CONFIGURATION, "git", folder, "read-tree", commit, NULL};
    const char *const write[] = {NO_CONFIGURATION,  "git", folder,           "-c",
                                 "core.bare=false", work,  "checkout-index", "--all",
                                 "--force",         NULL};

    return run_words(git, index, read, "read-tree", error) &&
           run_words(git, index, write, "checkout-index", error);
}

bool git_write_commit(const Git *git, const char *commit, const char *target, Error *error)
{
    const char *folder = arena_format(git->arena, "--git-dir=%s", git->folder);

    if (!has_commit(git, folder, commit))
        return fail(error, ERROR_NOT_FOUND, "commit %.12s is not in the repository", commit);
    return check_size(git, folder, commit, error) && folder_make(target, error) &&
           write_files(git, commit, target, error);
}
