#include "transfer/meta_file.h"

#include <sys/stat.h>

#include "base/file.h"

bool meta_file_read(const char *path, Arena *arena, const YamlNode **meta, Error *error)
{
    const YamlNode *root;
    const char *bytes;
    struct stat found;
    size_t size;

    if (lstat(path, &found) != 0)
        return fail_errno(error, "read", path);
    if (!S_ISREG(found.st_mode))
        return fail(error, ERROR_INVALID, "it is not a file");
    if (!file_read(path, YAML_BYTES_MAX, arena, &bytes, &size, error) ||
        !yaml_parse(bytes, size, arena, &root, error))
        return false;
    if (!root || root->type != YAML_MAP)
        return fail(error, ERROR_INVALID, "it holds no map");
    *meta = root;
    return true;
}

const char *meta_text(const YamlNode *meta, const char *key)
{
    const YamlNode *node = yaml_member(meta, key);

    return node && node->type == YAML_SCALAR && !yaml_is_null(node) ? node->text : NULL;
}

int64_t meta_int(const YamlNode *meta, const char *key)
{
    const char *text = meta_text(meta, key);
    double number = 0;
    int64_t integer = 0;

    if (!text)
        return 0;
    if (!text_to_int(text, &integer) && text_to_double(text, &number) && number > -9e15 &&
        number < 9e15)
        integer = (int64_t)number;
    return integer;
}

const YamlNode *meta_first(const YamlNode *meta, const char *key)
{
    const YamlNode *node = yaml_member(meta, key);

    return node && node->type == YAML_MAP ? node->first : NULL;
}
