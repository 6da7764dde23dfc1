#pragma once

#include "shared/base/opt.h"

/* What opt.h's tables look like to a reader: help pages and completion scripts, on stdout. */

/* The commands and global options; with `group`, only the commands whose first word it is. */
void opt_help_prog(const struct prog *prog, const char *group);
void opt_help_cmd(const struct prog *prog, const struct cmd *cmd);
/* shell: "bash", "zsh" or "fish" */
bool opt_completion(const struct prog *prog, const char *shell, struct err *err) must_check;
