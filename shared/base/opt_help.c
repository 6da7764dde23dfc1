#include "shared/base/opt_help.h"

#include <stdio.h>
#include <string.h>

#include "shared/base/buf.h"

#define WIDTH 80

/* Prints text from a column on, wrapped at the width. */
static void print_wrapped(const char *text, int column)
{
	int at = column;
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

static void option_head(const struct opt *o, struct buf *b)
{
	if (o->letter)
		buf_printf(b, "  -%c, --%s", o->letter, o->name);
	else
		buf_printf(b, "      --%s", o->name);
	if (o->arg)
		buf_printf(b, " %s", o->arg);
}

static void print_options(const char *title, const struct opt *opts)
{
	size_t width = 0;
	for (const struct opt *o = opts; o && o->name; o++) {
		auto_buf struct buf head = BUF_INIT(1024);
		option_head(o, &head);
		if (!(o->flags & OPT_HIDDEN) && head.n > width && head.n < 34)
			width = head.n;
	}
	if (!opts || !opts->name)
		return;
	printf("\n%s:\n", title);
	for (const struct opt *o = opts; o->name; o++) {
		auto_buf struct buf head = BUF_INIT(1024), help = BUF_INIT(4096);
		if (o->flags & OPT_HIDDEN)
			continue;
		option_head(o, &head);
		if (head.n > width)
			printf("%s\n%*s  ", head.p, (int)width, "");
		else
			printf("%-*s  ", (int)width, head.p);
		buf_adds(&help, o->help);
		if (o->def && *o->def)
			buf_printf(&help, " (default %s)", o->def);
		print_wrapped(help.p, (int)width + 2);
	}
}

void opt_help_cmd(const struct prog *prog, const struct cmd *cmd)
{
	print_wrapped(cmd->summary, 0);
	printf("\nUsage:\n  %s %s [flags]%s%s\n", prog->name, cmd->name, cmd->args ? " " : "",
		cmd->args ? cmd->args : "");
	print_options("Flags", cmd->opts);
	print_options("Global flags", prog->globals);
	printf("  -h, --help\n");
}

void opt_help_prog(const struct prog *prog)
{
	print_wrapped(prog->summary, 0);
	printf("\nUsage:\n  %s COMMAND [flags] [arguments]\n\nCommands:\n", prog->name);
	size_t width = strlen("completion");
	for (const struct cmd *c = prog->cmds; c->name; c++)
		if (!c->hidden && strlen(c->name) > width)
			width = strlen(c->name);
	for (const struct cmd *c = prog->cmds; c->name; c++) {
		if (c->hidden)
			continue;
		printf("  %-*s  ", (int)width, c->name);
		print_wrapped(c->summary, (int)width + 4);
	}
	printf("  %-*s  print a completion script for bash, zsh or fish\n", (int)width, "completion");
	printf("  %-*s  print this, or help for a command\n", (int)width, "help");
	print_options("Global flags", prog->globals);
	printf("\n'%s COMMAND --help' tells more about a command.\n", prog->name);
}

static void words_of(const struct opt *opts, struct buf *b)
{
	for (; opts && opts->name; opts++)
		if (!(opts->flags & OPT_HIDDEN))
			buf_printf(b, " --%s", opts->name);
}

static void complete_bash(const struct prog *prog)
{
	auto_buf struct buf globals = BUF_INIT(1 << 16);
	words_of(prog->globals, &globals);
	printf("_%s() {\n\tlocal cur=${COMP_WORDS[COMP_CWORD]} words=\n", prog->name);
	printf("\tif [ \"$COMP_CWORD\" = 1 ]; then\n\t\twords=\"completion help");
	for (const struct cmd *c = prog->cmds; c->name; c++)
		if (!c->hidden && !strchr(c->name, ' '))
			printf(" %s", c->name);
	printf("\"\n\telse\n\t\tcase ${COMP_WORDS[1]} in\n");
	for (const struct cmd *c = prog->cmds; c->name; c++) {
		auto_buf struct buf words = BUF_INIT(1 << 16);
		if (strchr(c->name, ' '))
			continue;
		words_of(c->opts, &words);
		printf("\t\t%s) words=\"--help%s%s\" ;;\n", c->name, words.p ? words.p : "",
			globals.p ? globals.p : "");
	}
	printf("\t\tesac\n\tfi\n\tcase $cur in\n"
		"\t-*) mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$cur\") ;;\n"
		"\t*)\n\t\tif [ \"$COMP_CWORD\" = 1 ]; then\n"
		"\t\t\tmapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$cur\")\n"
		"\t\telse\n\t\t\tmapfile -t COMPREPLY < <(compgen -f -- \"$cur\")\n\t\tfi\n\t\t;;\n"
		"\tesac\n}\ncomplete -o filenames -F _%s %s\n", prog->name, prog->name);
}

static void complete_zsh(const struct prog *prog)
{
	printf("#compdef %s\nautoload -U +X bashcompinit && bashcompinit\n", prog->name);
	complete_bash(prog);
}

static void complete_fish(const struct prog *prog)
{
	for (const struct cmd *c = prog->cmds; c->name; c++) {
		if (c->hidden || strchr(c->name, ' '))
			continue;
		printf("complete -c %s -n __fish_use_subcommand -a %s -d '%s'\n", prog->name, c->name,
			c->summary);
		for (const struct opt *o = c->opts; o && o->name; o++) {
			if (o->flags & OPT_HIDDEN)
				continue;
			printf("complete -c %s -n '__fish_seen_subcommand_from %s' -l %s%s", prog->name,
				c->name, o->name, o->type == OPT_BOOL ? "" : " -r");
			if (o->letter)
				printf(" -s %c", o->letter);
			putchar('\n');
		}
	}
}

static const struct {
	const char *name;
	void (*write)(const struct prog *prog);
} shells[] = {
	{ "bash", complete_bash },
	{ "zsh", complete_zsh },
	{ "fish", complete_fish },
};

bool opt_completion(const struct prog *prog, const char *shell, struct err *err)
{
	for (size_t i = 0; shell && i < countof(shells); i++) {
		if (strcmp(shell, shells[i].name) == 0) {
			shells[i].write(prog);
			return true;
		}
	}
	(void)err_set(err, EK_USAGE, shell ? "no completion for the shell '%s'"
		: "completion needs the name of a shell%s", shell ? shell : "");
	return err_hint(err, "use '%s completion bash', zsh or fish", prog->name);
}
