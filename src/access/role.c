#include <string.h>

#include "access/scope.h"

static const char *const names[] = {
    [ROLE_ANYONE] = "anyone",           [ROLE_VIEWER] = "viewer",     [ROLE_STEP] = "step",
    [ROLE_CONTRIBUTOR] = "contributor", [ROLE_APPROVER] = "approver", [ROLE_OWNER] = "owner",
};

const char *role_name(Role role)
{
    return names[role];
}

bool role_find(const char *name, Role *role)
{
    for (size_t i = ROLE_VIEWER; i < COUNT(names); i++) {
        if (i == ROLE_STEP || strcmp(names[i], name) != 0)
            continue;
        *role = (Role)i;
        return true;
    }
    return false;
}

Role role_of_token(Role role)
{
    return role == ROLE_STEP ? ROLE_CONTRIBUTOR : role;
}
