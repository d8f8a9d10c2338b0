/* commands.h: each cli/ file's table of commands. */
#pragma once

#include "cli/command.h"

extern const Command server_commands[];
extern const Command project_commands[];
extern const Command validate_commands[];
extern const Command data_commands[];
extern const Command train_commands[];
extern const Command pipeline_commands[];
extern const Command reproduce_commands[];
extern const Command trigger_commands[];
extern const Command hook_commands[];
extern const Command environment_commands[];
extern const Command approval_commands[];
extern const Command promote_commands[];
extern const Command run_commands[];
extern const Command model_commands[];
extern const Command endpoint_commands[];
extern const Command candidate_commands[];
extern const Command access_commands[];
extern const Command identity_commands[];
extern const Command event_commands[];
extern const Command evidence_commands[];
extern const Command import_commands[];
extern const Command export_commands[];
extern const Command webhook_commands[];
extern const Command purge_commands[];
extern const Command retention_commands[];
extern const Command workspace_commands[];
extern const Command sample_commands[];
