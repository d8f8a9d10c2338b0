#include "data/byte_source.h"

#include <inttypes.h>

bool byte_source_open(ByteSource *source, const char *path, int64_t size_max, Error *error)
{
    source->file = gzopen(path, "rb");
    source->path = path;
    source->size = source->at = 0;
    source->offset = 0;
    source->size_max = size_max;
    return source->file || fail_errno(error, "open", path);
}

void byte_source_close(ByteSource *source)
{
    if (source->file)
        gzclose(source->file);
    source->file = NULL;
}

int byte_source_next(ByteSource *source)
{
    if (source->at == source->size) {
        if (source->offset >= source->size_max)
            return -1;
        source->size = gzread(source->file, source->buffer, sizeof(source->buffer));
        source->at = 0;
        if (source->size <= 0) {
            source->size = 0;
            return -1;
        }
    }
    source->offset++;
    return source->buffer[source->at++];
}

bool byte_source_end(ByteSource *source, Error *error)
{
    int status = Z_OK;
    const char *message = gzerror(source->file, &status);

    if (source->offset >= source->size_max)
        return fail(error, ERROR_TOO_LARGE, "the file has more than %" PRId64 " bytes",
                    source->size_max);
    if (status != Z_OK && status != Z_STREAM_END)
        return fail(error, ERROR_INVALID, "the gzip file is damaged: %s", message);
    return true;
}
