#include "shared/base/opt_help.h"

#include <stdio.h>
#include <string.h>

/* Each script finds the command's words on the line, stepping over global options and their
 * values, then looks up what may follow in a table written from ours. */

/* In single quotes; in a shell a quote inside is closed, escaped and opened again, fish takes
 * backslashes. */
static void put_quoted(const char *before, const char *text, bool fish)
{
	printf("'%s", before);
	for (; text && *text; text++) {
		if (*text == '\'')
			fputs(fish ? "\\'" : "'\\''", stdout);
		else if (*text == '\\' && fish)
			fputs("\\\\", stdout);
		else
			putchar(*text);
	}
	putchar('\'');
}

/* Calls put for each visible option of both tables, and for --help. */
static void each_option(const struct prog *prog, const struct cmd *c,
	void (*put)(const struct opt *o, const struct prog *prog, const struct cmd *c))
{
	static const struct opt help = {.name = "help", .letter = 'h', .help = "print help"};
	for (const struct opt *o = c ? c->opts : NULL; o && o->name; o++)
		if (!(o->flags & OPT_HIDDEN))
			put(o, prog, c);
	for (const struct opt *o = prog->globals; o && o->name; o++)
		if (!(o->flags & OPT_HIDDEN))
			put(o, prog, c);
	put(&help, prog, c);
}

/* First words of names of two, each once. */
static bool first_of_group(const struct prog *prog, const struct cmd *c, struct str *ret_first)
{
	struct str second;
	if (c->hidden || !str_cut(str_of(c->name), ' ', ret_first, &second))
		return false;
	for (const struct cmd *d = prog->cmds; d != c; d++)
		if (!d->hidden && str_starts(str_of(d->name), str_n(c->name, ret_first->n + 1)))
			return false;
	return true;
}

/* The commands (group: those in it, by their second word) and the built-in ones. */
static void each_command(const struct prog *prog, struct str group,
	void (*put)(struct str word, const char *summary))
{
	struct str first, second;
	for (const struct cmd *c = prog->cmds; c->name; c++) {
		bool two = str_cut(str_of(c->name), ' ', &first, &second);
		if (c->hidden)
			continue;
		if (group.n && two && str_eq(first, group))
			put(second, c->summary);
		else if (!group.n && !two)
			put(first, c->summary);
		else if (!group.n && first_of_group(prog, c, &first))
			put(first, c->summary);
	}
	if (group.n)
		return;
	put(S("completion"), "print a completion script");
	put(S("help"), "print help");
}

static void bash_word(struct str word, const char *summary)
{
	(void)summary;
	printf(" %.*s", STR_ARG(word));
}

static void zsh_word(struct str word, const char *summary)
{
	char name[64];
	snprintf(name, sizeof(name), "%.*s:", STR_ARG(word));
	putchar(' ');
	put_quoted(name, summary, false);
}

static void bash_flag(const struct opt *o, const struct prog *prog, const struct cmd *c)
{
	(void)prog;
	(void)c;
	printf(" --%s", o->name);
}

static void zsh_flag(const struct opt *o, const struct prog *prog, const struct cmd *c)
{
	(void)prog;
	(void)c;
	char name[96];
	snprintf(name, sizeof(name), "--%s:", o->name);
	putchar(' ');
	put_quoted(name, o->help, false);
}

static void valued(const struct opt *o, const struct prog *prog, const struct cmd *c)
{
	(void)prog;
	(void)c;
	if (o->type == OPT_BOOL)
		return;
	printf(" --%s", o->name);
	if (o->letter)
		printf(" -%c", o->letter);
}

/* How a row of the table is written in a shell's language. */
struct dialect {
	const char *open, *close; /* of a list */
	void (*word)(struct str word, const char *summary);
	void (*flag)(const struct opt *o, const struct prog *prog, const struct cmd *c);
};

static void row(
	const struct prog *prog, const struct cmd *c, const char *name, const struct dialect *d)
{
	printf("\t'%s')\n\t\tflags=%s", name, d->open);
	each_option(prog, c, d->flag);
	printf("%s\n\t\tvalued='", d->close);
	each_option(prog, c, valued);
	printf(" '\n");
}

/* A case statement over $cmd that sets names, flags and valued. */
static void table(const struct prog *prog, const struct dialect *d)
{
	struct str first;
	printf("\tcase $cmd in\n");
	row(prog, NULL, "", d);
	printf("\t\tnames=%s", d->open);
	each_command(prog, STR_NONE, d->word);
	printf("%s ;;\n\t'help')\n\t\tnames=%s", d->close, d->open);
	each_command(prog, STR_NONE, d->word);
	printf("%s ;;\n\t'completion')\n\t\tnames=%sbash zsh fish%s ;;\n", d->close, d->open,
		d->close);
	for (const struct cmd *c = prog->cmds; c->name; c++) {
		if (!c->hidden) {
			row(prog, c, c->name, d);
			printf("\t\t;;\n");
		}
		if (first_of_group(prog, c, &first)) {
			printf("\t'%.*s')\n\t\tnames=%s", STR_ARG(first), d->open);
			each_command(prog, first, d->word);
			printf("%s ;;\n", d->close);
		}
	}
	printf("\tesac\n");
}

/* Patterns for a case: the global options with a value in the next word. */
static void global_values(const struct prog *prog, const char *between)
{
	const char *sep = "";
	for (const struct opt *o = prog->globals; o && o->name; o++) {
		if (o->type == OPT_BOOL)
			continue;
		printf("%s--%s", sep, o->name);
		sep = between;
		if (o->letter)
			printf("%s-%c", sep, o->letter);
	}
	if (!*sep)
		printf("%s", "''");
}

static void groups(const struct prog *prog, const char *between)
{
	const char *sep = "";
	struct str first;
	for (const struct cmd *c = prog->cmds; c->name; c++) {
		if (!first_of_group(prog, c, &first))
			continue;
		printf("%s%.*s", sep, STR_ARG(first));
		sep = between;
	}
	if (!*sep)
		printf("%s", "''");
}

/* The loop that finds $cmd, the same in bash and zsh but for the array. */
static void find_words(
	const struct prog *prog, const char *array, const char *start, const char *end)
{
	printf("\tfor ((i = %s; i < %s; i++)); do\n\t\tcase ${%s[i]} in\n\t\t", start, end, array);
	global_values(prog, "|");
	/* bash splits --name=value into three words */
	printf(")\n\t\t\t((i++))\n\t\t\tif [[ ${%s[i]} == = ]]; then\n\t\t\t\t((i++))\n"
	       "\t\t\tfi\n\t\t\t;;\n",
		array);
	printf("\t\t-*) ;;\n\t\t*)\n\t\t\tcmd=\"${cmd:+$cmd }${%s[i]}\"\n"
	       "\t\t\tcase $cmd in\n\t\t\t",
		array);
	groups(prog, "|");
	printf(") ;;\n\t\t\t*) break ;;\n\t\t\tesac\n\t\t\t;;\n\t\tesac\n\tdone\n");
}

static void complete_bash(const struct prog *prog)
{
	static const struct dialect bash = {"'", "'", bash_word, bash_flag};
	printf("_%s() {\n\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}\n"
	       "\tlocal i cmd= names= flags= valued=\n",
		prog->name);
	find_words(prog, "COMP_WORDS", "1", "COMP_CWORD");
	table(prog, &bash);
	printf("\tif [[ $cur == = ]]; then\n\t\tcur=\n\t\tnames=\n"
	       "\telif [[ $prev == = || $valued == *\" $prev \"* ]]; then\n\t\tnames=\n"
	       "\telif [[ $cur == -* ]]; then\n\t\tnames=$flags\n\tfi\n"
	       "\tif [[ $names ]]; then\n"
	       "\t\tmapfile -t COMPREPLY < <(compgen -W \"$names\" -- \"$cur\")\n"
	       "\telse\n\t\tcompopt -o filenames 2>/dev/null\n"
	       "\t\tmapfile -t COMPREPLY < <(compgen -f -- \"$cur\")\n\tfi\n"
	       "}\ncomplete -F _%s %s\n",
		prog->name, prog->name);
}

static void complete_zsh(const struct prog *prog)
{
	static const struct dialect zsh = {"(", ")", zsh_word, zsh_flag};
	printf("#compdef %s\n\n_%s() {\n\tlocal line=(\"${words[@]}\") i cmd= valued=\n"
	       "\tlocal -a names=() flags=()\n",
		prog->name, prog->name);
	find_words(prog, "line", "2", "CURRENT");
	table(prog, &zsh);
	printf("\tif [[ $valued == *\" ${line[CURRENT-1]} \"* ]]; then\n\t\t_files\n"
	       "\telif compset -P '--*='; then\n\t\t_files\n"
	       "\telif [[ $PREFIX == -* ]]; then\n\t\t_describe -o flag flags\n"
	       "\telif (( $#names )); then\n\t\t_describe command names\n"
	       "\telse\n\t\t_files\n\tfi\n}\n\n"
	       "if [[ $funcstack[1] == _%s ]]; then\n\t_%s \"$@\"\nelse\n\tcompdef _%s %s\nfi\n",
		prog->name, prog->name, prog->name, prog->name);
}

static void fish_flag(const struct opt *o, const struct prog *prog, const struct cmd *c)
{
	printf("complete -c %s -n '__%s_at %s' -l %s", prog->name, prog->name, c ? c->name : "",
		o->name);
	if (o->letter)
		printf(" -s %c", o->letter);
	printf("%s -d ", o->type == OPT_BOOL ? "" : " -r");
	put_quoted("", o->help, true);
	putchar('\n');
}

static void fish_words(const struct prog *prog, struct str at, struct str word, const char *summary)
{
	printf("complete -c %s -f -n '__%s_at %.*s' -a %.*s -d ", prog->name, prog->name,
		STR_ARG(at), STR_ARG(word));
	put_quoted("", summary, true);
	putchar('\n');
}

static void fish_commands(const struct prog *prog, struct str at)
{
	struct str first, second;
	for (const struct cmd *c = prog->cmds; c->name; c++) {
		if (c->hidden)
			continue;
		if (!str_cut(str_of(c->name), ' ', &first, &second))
			fish_words(prog, at, first, c->summary);
		else if (first_of_group(prog, c, &first))
			fish_words(prog, at, first, c->summary);
	}
	fish_words(prog, at, S("completion"), "print a completion script");
	fish_words(prog, at, S("help"), "print help");
}

static void complete_fish(const struct prog *prog)
{
	struct str first, second;
	printf("function __%s_at\n\tset -l line (commandline -opc)\n\tset -l cmd\n\tset -l skip 0\n"
	       "\tfor word in $line[2..-1]\n\t\tif test $skip = 1\n\t\t\tset skip 0\n"
	       "\t\t\tcontinue\n\t\tend\n\t\tswitch $word\n\t\t\tcase ",
		prog->name);
	global_values(prog, " ");
	printf("\n\t\t\t\tset skip 1\n\t\t\tcase '-*'\n\t\t\tcase '*'\n\t\t\t\tset -a cmd $word\n"
	       "\t\t\t\tcontains -- \"$cmd\" ");
	groups(prog, " ");
	printf("\n\t\t\t\tor break\n\t\tend\n\tend\n\ttest \"$cmd\" = \"$argv\"\nend\n");
	fish_commands(prog, STR_NONE);
	fish_commands(prog, S("help"));
	fish_words(prog, S("completion"), S("'bash zsh fish'"), "shell");
	each_option(prog, NULL, fish_flag);
	for (const struct cmd *c = prog->cmds; c->name; c++) {
		if (c->hidden)
			continue;
		if (str_cut(str_of(c->name), ' ', &first, &second))
			fish_words(prog, first, second, c->summary);
		each_option(prog, c, fish_flag);
	}
}

static const struct {
	const char *name;
	void (*write)(const struct prog *prog);
} shells[] = {
	{"bash", complete_bash},
	{"zsh", complete_zsh},
	{"fish", complete_fish},
};

bool opt_completion(const struct prog *prog, const char *shell, struct err *err)
{
	for (size_t i = 0; shell && i < countof(shells); i++) {
		if (strcmp(shell, shells[i].name) == 0) {
			shells[i].write(prog);
			return true;
		}
	}
	if (shell)
		(void)err_set(err, EK_USAGE, "no completion for the shell '%s'", shell);
	else
		(void)err_set(err, EK_USAGE, "completion needs the name of a shell");
	return err_hint(err, "use '%s completion bash', zsh or fish", prog->name);
}
