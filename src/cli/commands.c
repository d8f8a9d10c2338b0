/* commands.c: the tables of all commands, in the order of help. */

#include "cli/commands.h"

/* clang-format off */
const Command *const command_tables[] = {
    server_commands,
    project_commands,
    validate_commands,
    data_commands,
    train_commands,
    pipeline_commands,
    reproduce_commands,
    trigger_commands,
    hook_commands,
    environment_commands,
    approval_commands,
    promote_commands,
    run_commands,
    model_commands,
    endpoint_commands,
    candidate_commands,
    import_commands,
    export_commands,
    access_commands,
    identity_commands,
    event_commands,
    evidence_commands,
    webhook_commands,
    purge_commands,
    retention_commands,
    workspace_commands,
    sample_commands,
    NULL,
};
/* clang-format on */
