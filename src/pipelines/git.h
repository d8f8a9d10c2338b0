/* git.h: the git program, in child processes, on a repository that others push to.
 *
 * Nothing of the repository is executed: no hooks, no filters of its or the user's configuration.
 * What comes from it is bounded before it is written anywhere.
 */
#pragma once

#include <stdatomic.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/text.h"

enum {
    GIT_REPOSITORY_BYTES_MAX = 1024, /* of a path or URL */
    GIT_BRANCHES_MAX = 10000,
    GIT_FILES_MAX = 100000, /* of a commit */
    GIT_COMMITS_MAX = 1000, /* whose people are looked at */
    GIT_PEOPLE_MAX = 100,
    GIT_COMMIT_DIGITS = 40, /* 64 where a repository has SHA-256 */
};

#define GIT_TREE_BYTES_MAX ((int64_t)4 << 30) /* all files of a commit */

typedef struct Git {
    const char *folder; /* a bare copy of the repository, made when it is missing */
    const char *repository;
    Arena *arena;
    const atomic_bool *stopped; /* or NULL */
} Git;

typedef struct GitBranch {
    const char *ref, *commit; /* "refs/heads/main" */
} GitBranch;

typedef struct GitBranchList {
    GitBranch *items;
    size_t count;
} GitBranchList;

/* An absolute path, or a URL that git knows: https, http, ssh, git, or user@host:path. */
bool git_repository_check(const char *repository, Error *error) MUST_CHECK;
bool git_commit_is_valid(const char *commit);

/* Asks the repository itself. ERROR_UNAVAILABLE with git's words when it does not answer. */
bool git_list_branches(const Git *git, GitBranchList *list, Error *error) MUST_CHECK;

/* Brings the copy up to date. */
bool git_fetch(const Git *git, Error *error) MUST_CHECK;

/* Who the commits that were fetched say to have written them: names and mail addresses, once each,
 * of authors and committers, which are no more than what their makers wanted. */
typedef struct GitPeople {
    TextList list;
    bool is_whole; /* otherwise there are more than GIT_COMMITS_MAX or GIT_PEOPLE_MAX */
} GitPeople;

/* Of a commit alone, or with all behind it that are not behind base. ERROR_NOT_FOUND when the copy
 * has no such base. */
bool git_people_of(const Git *git, const char *commit, GitPeople *people, Error *error) MUST_CHECK;
bool git_people_since(const Git *git, const char *base, const char *commit, GitPeople *people,
                      Error *error) MUST_CHECK;

/* Writes the files of a commit that was fetched below target, a new folder; links stay out.
 * ERROR_NOT_FOUND when the copy has no such commit. */
bool git_write_commit(const Git *git, const char *commit, const char *target,
                      Error *error) MUST_CHECK;
