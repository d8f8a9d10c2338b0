#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "net/http_client_internal.h"

enum { REDIRECT_COUNT_MAX = 5, TIMEOUT_SECONDS_DEFAULT = 3600 };

static const uint64_t bytes_max_default = UINT64_C(1) << 30;

typedef struct Download {
    HttpTransfer transfer;
    Arena *arena;
    const char *part_path;
    int file;
} Download;

static void download_close(Download *download)
{
    http_transfer_close(&download->transfer);
    if (download->file >= 0) {
        close(download->file);
        unlink(download->part_path);
    }
    arena_destroy(download->arena);
}

static size_t on_body(char *bytes, size_t one, size_t size, void *context)
{
    Download *download = context;
    size_t left = size;

    (void)one;
    if (!http_transfer_count(&download->transfer, size))
        return 0;
    while (left > 0) {
        ssize_t written = write(download->file, bytes + size - left, left);

        if (written < 0 && errno != EINTR) {
            download->transfer.write_errno = errno;
            return 0;
        }
        left -= written > 0 ? (size_t)written : 0;
    }
    return size;
}

static void prepare(Download *download, const HttpDownloadSpec *spec)
{
    HttpTransfer *transfer = &download->transfer;
    const CurlLibrary *curl = transfer->curl;
    CURL *handle = transfer->handle;
    unsigned seconds = spec->timeout_seconds ? spec->timeout_seconds : TIMEOUT_SECONDS_DEFAULT;

    transfer->bytes_max = spec->bytes_max ? spec->bytes_max : bytes_max_default;
    http_transfer_headers(transfer, spec->headers, spec->header_count);
    curl->easy_setopt(handle, CURLOPT_FOLLOWLOCATION, 1L);
    curl->easy_setopt(handle, CURLOPT_MAXREDIRS, (long)REDIRECT_COUNT_MAX);
    curl->easy_setopt(handle, CURLOPT_FAILONERROR, 1L);
    curl->easy_setopt(handle, CURLOPT_PROXY, "");
    curl->easy_setopt(handle, CURLOPT_TIMEOUT, (long)seconds);
    curl->easy_setopt(handle, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)transfer->bytes_max);
    curl->easy_setopt(handle, CURLOPT_WRITEFUNCTION, on_body);
    curl->easy_setopt(handle, CURLOPT_WRITEDATA, download);
    http_transfer_guard(transfer, !spec->allow_private);
}

static bool open_part(Download *download, const char *target_path, Error *error)
{
    download->part_path = arena_format(download->arena, "%s.part", target_path);
    download->file =
        open(download->part_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    return download->file >= 0 || fail_errno(error, "write", download->part_path);
}

static bool keep(Download *download, const char *target_path, Error *error)
{
    if (!file_move_durably(download->part_path, target_path, error))
        return false;
    close(download->file);
    download->file = -1;
    return true;
}

bool http_download(const HttpDownloadSpec *spec, Error *error)
{
    CLEANUP(download_close) Download download = {.arena = arena_create(), .file = -1};

    if (!http_transfer_open(&download.transfer, spec->url, error) ||
        !open_part(&download, spec->target_path, error))
        return false;
    prepare(&download, spec);
    return http_transfer_run(&download.transfer, error) &&
           keep(&download, spec->target_path, error);
}
