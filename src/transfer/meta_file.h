/* meta_file.h: the meta.yaml files of MLflow's file store. */
#pragma once

#include "base/yaml.h"

/* A map; a link is not followed. */
bool meta_file_read(const char *path, Arena *arena, const YamlNode **meta, Error *error) MUST_CHECK;

/* NULL: it is not there, null, or no scalar. */
const char *meta_text(const YamlNode *meta, const char *key);
int64_t meta_int(const YamlNode *meta, const char *key); /* 0: none */

/* The first member of a map in it, or NULL. */
const YamlNode *meta_first(const YamlNode *meta, const char *key);
