#include "shared/base/opt_help.h"

#include <stdio.h>
#include <string.h>

#include "shared/base/buf.h"

#define WIDTH 80
#define MAX_HEAD 30 /* longer ones get a line of their own */

static const struct opt help_opts[] = {
	{.name = "help", .letter = 'h', .type = OPT_BOOL, .help = "print this"},
	{0},
};

/* Prints text, the cursor being at column `at`, wrapped at the width and indented by `column`. */
static void print_wrapped(const char *text, int at, int column)
{
	struct str rest = str_of(text), word;
	bool first = true;
	while (str_word(&rest, &word)) {
		if (!first && at + 1 + (int)word.n > WIDTH) {
			printf("\n%*s", column, "");
			at = column;
		} else if (!first) {
			putchar(' ');
			at++;
		}
		printf("%.*s", STR_ARG(word));
		at += (int)word.n;
		first = false;
	}
	putchar('\n');
}

static void print_row(const char *head, int width, const char *text)
{
	if ((int)strlen(head) > width)
		printf("%s\n%*s", head, width + 2, "");
	else
		printf("%-*s  ", width, head);
	print_wrapped(text, width + 2, width + 2);
}

static void option_head(const struct opt *o, struct buf *b)
{
	if (o->letter)
		buf_printf(b, "  -%c, --%s", o->letter, o->name);
	else
		buf_printf(b, "      --%s", o->name);
	if (o->arg)
		buf_printf(b, " %s", o->arg);
}

static void print_option(const struct opt *o, int width)
{
	auto_buf struct buf head = BUF_INIT(BUF_NOLIMIT), help = BUF_INIT(BUF_NOLIMIT);
	option_head(o, &head);
	buf_adds(&help, o->help ? o->help : "");
	if (o->flags & OPT_REQUIRED)
		buf_adds(&help, " (required)");
	else if (o->def && *o->def && strcmp(o->def, "false") != 0)
		buf_printf(&help, " (default %s)", o->def);
	print_row(head.p, width, help.p);
}

static int widest_option(const struct opt *opts, int width)
{
	for (; opts && opts->name; opts++) {
		auto_buf struct buf head = BUF_INIT(BUF_NOLIMIT);
		option_head(opts, &head);
		if (!(opts->flags & OPT_HIDDEN) && (int)head.n > width && head.n <= MAX_HEAD)
			width = (int)head.n;
	}
	return width;
}

static void print_options(const struct opt *opts, int width)
{
	for (; opts && opts->name; opts++)
		if (!(opts->flags & OPT_HIDDEN))
			print_option(opts, width);
}

static void print_globals(const struct prog *prog, int width)
{
	printf("\nGlobal flags:\n");
	print_options(prog->globals, width);
	print_options(help_opts, width);
}

static bool any_visible(const struct opt *opts)
{
	for (; opts && opts->name; opts++)
		if (!(opts->flags & OPT_HIDDEN))
			return true;
	return false;
}

void opt_help_cmd(const struct prog *prog, const struct cmd *cmd)
{
	auto_buf struct buf usage = BUF_INIT(BUF_NOLIMIT);
	int width =
		widest_option(cmd->opts, widest_option(prog->globals, widest_option(help_opts, 0)));
	print_wrapped(cmd->summary, 0, 0);
	buf_printf(&usage, "%s %s [flags] %s", prog->name, cmd->name, cmd->args ? cmd->args : "");
	printf("\nUsage:\n  ");
	print_wrapped(usage.p, 2, 6);
	if (any_visible(cmd->opts)) {
		printf("\nFlags:\n");
		print_options(cmd->opts, width);
	}
	print_globals(prog, width);
}

static bool listed(const struct cmd *c, const char *group)
{
	struct str first, second;
	return !c->hidden &&
	       (!group || (str_cut(str_of(c->name), ' ', &first, &second) && str_is(first, group)));
}

static void print_command(const char *name, int width, const char *summary)
{
	auto_buf struct buf head = BUF_INIT(BUF_NOLIMIT);
	buf_printf(&head, "  %s", name);
	print_row(head.p, width, summary);
}

void opt_help_prog(const struct prog *prog, const char *group)
{
	int width = 2 + (int)strlen("completion");
	print_wrapped(prog->summary, 0, 0);
	printf("\nUsage:\n  %s %s%sCOMMAND [flags] [arguments]\n\nCommands:\n", prog->name,
		group ? group : "", group ? " " : "");
	for (const struct cmd *c = prog->cmds; c->name; c++)
		if (listed(c, group) && 2 + (int)strlen(c->name) > width)
			width = 2 + (int)strlen(c->name);
	for (const struct cmd *c = prog->cmds; c->name; c++)
		if (listed(c, group))
			print_command(c->name, width, c->summary);
	if (!group) {
		print_command(
			"completion", width, "print a completion script for bash, zsh or fish");
		print_command("help", width, "print this, or the help of a command");
	}
	print_globals(prog, widest_option(prog->globals, widest_option(help_opts, 0)));
	printf("\n'%s COMMAND --help' tells more about a command.\n", prog->name);
}
