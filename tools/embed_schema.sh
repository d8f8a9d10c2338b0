#!/bin/sh
# Writes the schema's steps, in name order, as the C table that store/migrations.h declares.
# usage: embed_schema.sh FILE.sql... > migrations_table.c
set -eu
printf '#include "store/migrations.h"\n\nconst Migration migrations[] = {\n'
for file in "$@"; do
    printf '    {"%s",\n' "$(basename "$file" .sql)"
    sed -e 's/[[:space:]]*--.*$//' -e '/^[[:space:]]*$/d' -e 's/\\/\\\\/g' -e 's/"/\\"/g' \
        -e 's/^/     "/' -e 's/$/\\n"/' "$file"
    printf '    },\n'
done
printf '    {0},\n};\n'
