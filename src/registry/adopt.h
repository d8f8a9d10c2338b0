/* adopt.h: files that some program made become a package that can be registered.
 *
 *     a folder with an MLmodel       as MLflow writes it, or a package of Slipway's own
 *     one file NAME.onnx, or a       gets an MLmodel that says so
 *     folder with one at its top
 *
 * Nothing of them is loaded or run in the server: an MLmodel is read as YAML, an ONNX file is
 * looked at as far as its outermost parts, and a package of Slipway's own answers its golden rows
 * in a child.
 */
#pragma once

#include "access/scope.h"
#include "store/artifact.h"

typedef struct Adopted {
    const char *package; /* digest of the tree, which is in the store */
    TextList flavors;
    const char *refusal; /* why it is not served; NULL: it can be */
} Adopted;

/* name: what the files are to be called in messages; they are blobs of the store, their paths
 * relative to the folder, or the one file's name. Slow: not inside a write. */
bool package_adopt(Scope *scope, const char *name, Tree *files, Adopted *adopted) MUST_CHECK;
