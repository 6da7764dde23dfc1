#include "shared/base/opt.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "shared/base/buf.h"
#include "shared/base/log.h"

struct request {
	const char *name;
	bool force;
};
static const struct opt build_opts[] = {
	{"name", 'n', OPT_STR, offsetof(struct request, name), "it's", "NAME",
		"name of what is built, told in so many words that the line must be wrapped "
		"somewhere",
		0},
	{"force", 'f', OPT_BOOL, offsetof(struct request, force), NULL, NULL, "do it", 0},
	{"secret", 0, OPT_BOOL, offsetof(struct request, force), NULL, NULL, "hidden", OPT_HIDDEN},
	{0},
};
static const struct opt needs_opts[] = {
	{"name", 0, OPT_STR, offsetof(struct request, name), NULL,
		"A-VERY-LONG-NAME-OF-AN-ARGUMENT", "given always", OPT_REQUIRED},
	{0},
};

struct global {
	const char *dir;
	bool loud;
};
static const struct opt globals[] = {
	{"dir", 'C', OPT_STR, offsetof(struct global, dir), NULL, "DIR", "go there first", 0},
	{"loud", 'l', OPT_BOOL, offsetof(struct global, loud), NULL, NULL, "say more", 0},
	{0},
};

static bool run(void *req, const struct strs *args, struct arena *a, struct err *err)
{
	(void)a;
	(void)err;
	const struct request *r = req;
	printf("ran%s%s%s", r->force ? " force" : "", r->name ? " " : "", r->name ? r->name : "");
	for (size_t i = 0; i < args->n; i++)
		printf(" %.*s", STR_ARG(args->v[i]));
	printf("\n");
	return true;
}

static bool run_failing(void *req, const struct strs *args, struct arena *a, struct err *err)
{
	(void)req;
	(void)args;
	(void)a;
	(void)err_set(err, EK_OTHER, "it failed");
	return err_hint(err, "try again");
}

static bool setup_global(void *req, struct err *err)
{
	const struct global *g = req;
	if (g->dir && strcmp(g->dir, "bad") == 0)
		return err_set(err, EK_USAGE, "no such directory");
	if (g->dir || g->loud)
		printf("setup %s%s\n", g->dir ? g->dir : "", g->loud ? " loud" : "");
	return true;
}

static const struct cmd cmds[] = {
	{"build", "CONFIG [ARCH...]", "builds something", build_opts, sizeof(struct request), 1, -1,
		false, run},
	{"publish", "CONFIG TAG OUTPUT", "puts something where it isn't", NULL, 0, 3, 3, false,
		run},
	{"show", "[FILE]", "shows", NULL, sizeof(struct request), 0, 1, false, run},
	{"version", NULL, "prints the version", NULL, sizeof(struct request), 0, 0, false, run},
	{"source get", "PACKAGE", "fetches sources", build_opts, sizeof(struct request), 1, 1,
		false, run},
	{"source pop", NULL, "forgets sources", NULL, sizeof(struct request), 0, 0, false, run},
	{"needs", NULL, "needs a flag", needs_opts, sizeof(struct request), 0, 0, false, run},
	{"fail", NULL, "fails", NULL, 0, 0, 0, false, run_failing},
	{"internal", NULL, "is not for you", NULL, sizeof(struct request), 0, 0, true, run},
	{0},
};

static char *read_back(FILE *f)
{
	static char texts[2][1 << 16];
	static int turn;
	char *text = texts[turn++ % 2];
	rewind(f);
	text[fread(text, 1, sizeof(texts[0]) - 1, f)] = 0;
	fclose(f);
	return text;
}

/* Runs the program on line's words; the two texts stay until the call after the next. */
static int call(const char *line, char **ret_out, char **ret_err)
{
	auto_arena struct arena a = ARENA_INIT;
	struct global global = {0};
	const struct prog prog = {.name = "tool",
		.summary = "does things",
		.cmds = cmds,
		.globals = globals,
		.global_req = &global,
		.setup = setup_global};
	char *argv[32] = {(char *)"tool"};
	int argc = 1;
	struct str rest = str_of(line), word;
	while (str_word(&rest, &word))
		argv[argc++] = arena_strndup(&a, word.p, word.n);
	FILE *out = tmpfile(), *errors = tmpfile();
	fflush(stdout);
	int saved = dup(1);
	dup2(fileno(out), 1);
	log_setup(LOG_INFO, fileno(errors));
	int status = opt_main(&prog, argc, argv);
	fflush(stdout);
	dup2(saved, 1);
	close(saved);
	log_setup(LOG_INFO, STDERR_FILENO);
	*ret_out = read_back(out);
	*ret_err = read_back(errors);
	/* behind the time */
	if (**ret_err)
		*ret_err += strlen("2026/01/31 13:00:00 ");
	return status;
}

static void test_run(void **state)
{
	(void)state;
	static const struct {
		const char *line, *out, *err;
	} cases[] = {
		{"build a", "ran it's a\n", ""},
		{"build a b -f --name x c", "ran force x a b c\n", ""},
		{"build -- -f", "ran it's -f\n", ""},
		{"-C d build a", "setup d\nran it's a\n", ""},
		{"-Cd build a", "setup d\nran it's a\n", ""},
		{"--dir d -l build a", "setup d loud\nran it's a\n", ""},
		{"-lC d build a", "setup d loud\nran it's a\n", ""},
		{"--dir=d build -l a", "setup d loud\nran it's a\n", ""},
		{"build a -C d", "setup d\nran it's a\n", ""},
		{"source get p -f", "ran force it's p\n", ""},
		{"-l source pop", "setup  loud\nran\n", ""},
		{"show", "ran\n", ""},
		{"internal", "ran\n", ""},
		{"fail", "", "ERRO it failed\n    hint: try again\n"},
		{"-C bad show", "", "ERRO no such directory\n"},
		{"publish c", "",
			"ERRO accepts 3 args (CONFIG TAG OUTPUT), received 1\n"
			"    hint: see 'tool publish --help'\n"},
		{"build", "",
			"ERRO accepts at least 1 arg (CONFIG [ARCH...]), received 0\n"
			"    hint: see 'tool build --help'\n"},
		{"show a b", "",
			"ERRO accepts at most 1 arg ([FILE]), received 2\n"
			"    hint: see 'tool show --help'\n"},
		{"version x", "",
			"ERRO accepts no args, received 1\n    hint: see 'tool version --help'\n"},
		{"source get", "",
			"ERRO accepts 1 arg (PACKAGE), received 0\n"
			"    hint: see 'tool source get --help'\n"},
		{"needs", "", "ERRO flag '--name' is required\n"},
		{"needs --name n", "ran n\n", ""},
		{"biuld a", "",
			"ERRO unknown command 'biuld'\n    hint: did you mean 'tool build'?\n"},
		{"source gte p", "",
			"ERRO unknown command 'source gte'\n    hint: did you mean 'tool source "
			"get'?\n"},
		{"suorce get p", "",
			"ERRO unknown command 'suorce'\n    hint: did you mean 'tool source "
			"get'?\n"},
		{"frobnicate", "",
			"ERRO unknown command 'frobnicate'\n    hint: 'tool --help' lists the "
			"commands\n"},
		{"help frobnicate", "",
			"ERRO unknown command 'frobnicate'\n    hint: 'tool --help' lists the "
			"commands\n"},
		{"--bogus", "", "ERRO unknown flag '--bogus'\n    hint: --help lists the flags\n"},
		{"--bogus show", "",
			"ERRO unknown flag '--bogus'\n    hint: --help lists the flags\n"},
		{"-C", "", "ERRO flag '-C' needs an argument\n"},
		{"completion", "",
			"ERRO completion needs the name of a shell\n"
			"    hint: use 'tool completion bash', zsh or fish\n"},
		{"completion csh", "",
			"ERRO no completion for the shell 'csh'\n"
			"    hint: use 'tool completion bash', zsh or fish\n"},
		{"completion bash zsh", "", "ERRO accepts 1 arg (SHELL), received 2\n"},
	};
	for (size_t i = 0; i < countof(cases); i++) {
		char *out, *err;
		int status = call(cases[i].line, &out, &err);
		if (strcmp(out, cases[i].out) != 0 || strcmp(err, cases[i].err) != 0 ||
			status != (*cases[i].err ? 1 : 0))
			fail_msg("'%s' gave %d\n%s%s", cases[i].line, status, out, err);
	}
}

static void check_width(const char *text)
{
	struct str rest = str_of(text), line;
	while (str_next(&rest, '\n', &line))
		if (line.n > 80)
			fail_msg("too wide: %.*s", STR_ARG(line));
}

static void test_help(void **state)
{
	(void)state;
	static const char prog_help[] =
		"does things\n"
		"\n"
		"Usage:\n"
		"  tool COMMAND [flags] [arguments]\n"
		"\n"
		"Commands:\n"
		"  build       builds something\n"
		"  publish     puts something where it isn't\n"
		"  show        shows\n"
		"  version     prints the version\n"
		"  source get  fetches sources\n"
		"  source pop  forgets sources\n"
		"  needs       needs a flag\n"
		"  fail        fails\n"
		"  completion  print a completion script for bash, zsh or fish\n"
		"  help        print this, or the help of a command\n"
		"\n"
		"Global flags:\n"
		"  -C, --dir DIR  go there first\n"
		"  -l, --loud     say more\n"
		"  -h, --help     print this\n"
		"\n"
		"'tool COMMAND --help' tells more about a command.\n";
	static const char build_help[] =
		"builds something\n"
		"\n"
		"Usage:\n"
		"  tool build [flags] CONFIG [ARCH...]\n"
		"\n"
		"Flags:\n"
		"  -n, --name NAME  name of what is built, told in so many words that the line\n"
		"                   must be wrapped somewhere (default it's)\n"
		"  -f, --force      do it\n"
		"\n"
		"Global flags:\n"
		"  -C, --dir DIR    go there first\n"
		"  -l, --loud       say more\n"
		"  -h, --help       print this\n";
	static const char needs_help[] = "needs a flag\n"
					 "\n"
					 "Usage:\n"
					 "  tool needs [flags]\n"
					 "\n"
					 "Flags:\n"
					 "      --name A-VERY-LONG-NAME-OF-AN-ARGUMENT\n"
					 "                 given always (required)\n"
					 "\n"
					 "Global flags:\n"
					 "  -C, --dir DIR  go there first\n"
					 "  -l, --loud     say more\n"
					 "  -h, --help     print this\n";
	static const char group_help[] = "does things\n"
					 "\n"
					 "Usage:\n"
					 "  tool source COMMAND [flags] [arguments]\n"
					 "\n"
					 "Commands:\n"
					 "  source get  fetches sources\n"
					 "  source pop  forgets sources\n"
					 "\n"
					 "Global flags:\n"
					 "  -C, --dir DIR  go there first\n"
					 "  -l, --loud     say more\n"
					 "  -h, --help     print this\n"
					 "\n"
					 "'tool COMMAND --help' tells more about a command.\n";
	static const struct {
		const char *line, *want;
	} cases[] = {
		{"", prog_help},
		{"--help", prog_help},
		{"-h", prog_help},
		{"-C d", prog_help},
		{"help", prog_help},
		{"help --help", prog_help},
		{"build --help", build_help},
		{"build -h --name x y", build_help},
		{"--help build", build_help},
		{"help build", build_help},
		{"needs --help", needs_help},
		{"source", group_help},
		{"source -h", group_help},
		{"help source", group_help},
	};
	for (size_t i = 0; i < countof(cases); i++) {
		char *out, *err;
		assert_int_equal(call(cases[i].line, &out, &err), 0);
		assert_string_equal(err, "");
		if (strcmp(out, cases[i].want) != 0)
			fail_msg("'%s' gave\n%s", cases[i].line, out);
		check_width(out);
	}
}

static void test_full_stdout(void **state)
{
	(void)state;
	char *argv[] = {(char *)"tool", (char *)"help", NULL};
	const struct prog prog = {.name = "tool", .summary = "does things", .cmds = cmds};
	FILE *errors = tmpfile();
	fflush(stdout);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		if (!freopen("/dev/full", "w", stdout))
			_exit(9);
		log_setup(LOG_INFO, fileno(errors));
		_exit(opt_main(&prog, 2, argv));
	}
	int status;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(WEXITSTATUS(status), 1);
	assert_non_null(strstr(read_back(errors), "ERRO cannot write to standard output"));
}

/* Has bash read the script and complete each line's last word. */
static void test_bash(void **state)
{
	(void)state;
	static const struct {
		const char *words, *want;
	} cases[] = {
		{"tool ''", "build publish show version source needs fail completion help"},
		{"tool b", "build"},
		{"tool source ''", "get pop"},
		{"tool source p", "pop"},
		{"tool -C d source ''", "get pop"},
		{"tool --dir = d so", "source"},
		{"tool build --", "--name --force --dir --loud --help"},
		{"tool source get --n", "--name"},
		{"tool --l", "--loud"},
		{"tool -l build --f", "--force"},
		{"tool build --name FI", "FILE.1"},
		{"tool build --name = FI", "FILE.1"},
		{"tool build OT", "OTHER"},
		{"tool -C FI", "FILE.1"},
		{"tool completion ''", "bash zsh fish"},
		{"tool help pub", "publish"},
		{"tool version --name", ""},
		{"tool intern", ""},
	};
	auto_arena struct arena a = ARENA_INIT;
	char dir[] = "/tmp/test-opt-XXXXXX", *out, *err;
	assert_non_null(mkdtemp(dir));
	assert_int_equal(call("completion bash", &out, &err), 0);
	FILE *f = fopen(arena_printf(&a, "%s/script", dir), "w");
	assert_non_null(f);
	fprintf(f,
		"%s\ncd '%s'\n: > FILE.1; : > OTHER\n"
		"complete_line() {\n\tCOMP_WORDS=(\"$@\")\n\tCOMP_CWORD=$(($# - "
		"1))\n\tCOMPREPLY=()\n"
		"\t_tool\n\techo \"${COMPREPLY[*]}\"\n}\n",
		out, dir);
	for (size_t i = 0; i < countof(cases); i++)
		fprintf(f, "complete_line %s\n", cases[i].words);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(system(arena_printf(&a, "bash -n %s/script", dir)), 0);
	f = popen(arena_printf(&a, "bash %s/script", dir), "r");
	assert_non_null(f);
	for (size_t i = 0; i < countof(cases); i++) {
		char line[1024];
		assert_non_null(fgets(line, sizeof(line), f));
		line[strcspn(line, "\n")] = 0;
		if (strcmp(line, cases[i].want) != 0)
			fail_msg("'%s' gave '%s'", cases[i].words, line);
	}
	assert_int_equal(pclose(f), 0);
	assert_int_equal(system(arena_printf(&a, "rm -rf %s", dir)), 0);
}

static void test_other_shells(void **state)
{
	(void)state;
	static const struct {
		const char *shell, *check;
		const char *parts[4];
	} cases[] = {
		{"zsh", "zsh -n",
			{"#compdef tool\n", "'publish:puts something where it isn'\\''t'",
				"'get:fetches sources'", "'--force:do it'"}},
		{"fish", "fish --no-execute",
			{"-a publish -d 'puts something where it isn\\'t'",
				"-n '__tool_at source get' -l force -s f -d 'do it'",
				"-n '__tool_at source' -a pop", "-n '__tool_at ' -l dir -s C -r"}},
	};
	auto_arena struct arena a = ARENA_INIT;
	for (size_t i = 0; i < countof(cases); i++) {
		char *out, *err;
		assert_int_equal(
			call(arena_printf(&a, "completion %s", cases[i].shell), &out, &err), 0);
		for (size_t j = 0; j < countof(cases[i].parts); j++)
			if (!strstr(out, cases[i].parts[j]))
				fail_msg("no %s in\n%s", cases[i].parts[j], out);
		assert_null(strstr(out, "internal"));
		assert_null(strstr(out, "secret"));
		if (system(arena_printf(&a, "command -v %s >/dev/null", cases[i].shell)) != 0)
			continue;
		FILE *f = popen(arena_printf(&a, "%s /dev/stdin", cases[i].check), "w");
		assert_non_null(f);
		fputs(out, f);
		assert_int_equal(pclose(f), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_run),
		cmocka_unit_test(test_help),
		cmocka_unit_test(test_full_stdout),
		cmocka_unit_test(test_bash),
		cmocka_unit_test(test_other_shells),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
