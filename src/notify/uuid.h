/* uuid.h: random identifiers as RFC 4122 writes them, which receivers of webhooks may parse. */
#pragma once

enum { UUID_TEXT_SIZE = 37 };

/* "4f1c0cde-9d5a-4c62-9e8b-0f6d8c7b1a23"; returns text. */
const char *uuid_make(char text[UUID_TEXT_SIZE]);
