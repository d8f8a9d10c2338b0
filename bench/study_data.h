/* study_data.h: the public text sets that studies measure on, read by plain readers of their own.
 * Data is found by the environment variable SLIPWAY_DATA, or ../shared/data. */
#pragma once

#include <stdbool.h>

#include "base/arena.h"
#include "base/error.h"
#include "ml/frame.h"

typedef struct StudyData {
    Frame frame;
    const int *labels;
    ClassNames classes;
    const size_t *groups; /* a file number a row */
    size_t test_start;    /* rows from here on are the set's own test part; 0: it has none */
} StudyData;

typedef bool StudyLoad(StudyData *data, Arena *arena, Error *error);

StudyLoad study_youtube, study_sms, study_enron, study_disaster, study_news;

/* The posts of 20newsgroups' train or test part one by one; text and label live for the call. */
typedef void TakePost(void *context, TextRef text, TextRef label);
bool study_news_posts(bool is_test, TakePost *take, void *context, Error *error);

/* The rows of a set, in the order given, as a set of its own. */
StudyData study_pick(const StudyData *data, const size_t *rows, size_t count, Arena *arena);
