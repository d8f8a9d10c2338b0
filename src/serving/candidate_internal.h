/* candidate_internal.h: rows of the table candidates, for the files that read them. */
#pragma once

#include "serving/candidate.h"

/* Of a table that the query calls c. */
#define CANDIDATE_COLUMNS                                                                          \
    "c.id, c.model, c.version, c.package, c.share, c.is_shadow, c.comment, c.created_by,"          \
    " c.created_at, c.ended_at, c.ended_by, c.end_reason, c.end_comment"

/* first: the column of the query that is the first of these. */
Candidate candidate_from_row(const Query *query, int first, Arena *arena);

/* A number that no deployment and no candidate has had. */
#define NEXT_DEPLOYMENT_ID                                                                         \
    "(SELECT coalesce(max(id), 0) + 1 AS id"                                                       \
    " FROM (SELECT max(id) AS id FROM deployments"                                                 \
    " UNION ALL SELECT max(id) AS id FROM candidates) AS newest)"
