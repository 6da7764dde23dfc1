#include "melange/lint/conf.h"

/* Rules about steps and where sources come from. They look at the author's text: what holds a
 * variable is not judged by its form. */

#define SHOWN(s) STR_ARG(str_sub((s), 0, 80))

static bool has_variable(struct str s)
{
	return str_find(s, S("${{")) >= 0 || str_find(s, S("$<<")) >= 0;
}

static const struct ynode *input(const struct ynode *step, const char *name)
{
	const struct ynode *with = ynode_get(step, "with");
	const struct ynode *n = with ? ynode_get(with, name) : NULL;
	return n && n->kind == YN_SCALAR && n->text.n ? n : NULL;
}

/* A bump changes `${{package.version}}`, not the version written out. */
static void written_out(struct conf_ctx *x, const struct ynode *n)
{
	struct str version = x->c->package.version.s;
	if (n && version.n >= 3 && str_chr(version, '.') > 0 && !has_variable(n->text) &&
		str_find(n->text, version) >= 0)
		conf_report(x, n, false, "version", "the version is written out: a bump will not change "
			"it; write ${{package.version}}");
}

static void fetch(struct conf_ctx *x, const struct ynode *step)
{
	const struct ynode *uri = input(step, "uri"), *sha256 = input(step, "expected-sha256"),
		*sha512 = input(step, "expected-sha512");
	if (!sha256 && !sha512 && !input(step, "expected-none"))
		conf_report(x, step, true, "checksum", "fetch needs expected-sha256 or expected-sha512");
	if (uri && !has_variable(str_sub(uri->text, 0, 8)) &&
		!str_starts(uri->text, S("https://")) && !str_starts(uri->text, S("http://")) &&
		!str_starts(uri->text, S("ftp://")) && !str_starts(uri->text, S("file://")))
		conf_report(x, uri, true, "uri", "\"%.*s\" is not a URL that fetch can get",
			SHOWN(uri->text));
	else if (uri && !sha256 && !sha512 && str_starts(uri->text, S("http://")))
		conf_report(x, uri, false, "uri", "neither the connection nor a sum protects this file");
	written_out(x, uri);
}

static void checkout(struct conf_ctx *x, const struct ynode *step)
{
	const struct ynode *commit = input(step, "expected-commit"), *tag = input(step, "tag"),
		*branch = input(step, "branch");
	if (!commit)
		conf_report(x, step, false, "commit", "git-checkout without expected-commit builds "
			"whatever the server has at the time");
	if (tag && branch)
		conf_report(x, branch, true, "commit", "a tag and a branch exclude each other");
	written_out(x, tag);
}

static const struct {
	const char *uses;
	void (*check)(struct conf_ctx *x, const struct ynode *step);
} rules[] = {
	{ "fetch", fetch },
	{ "git-checkout", checkout },
};

static bool idle(const struct ynode *step)
{
	static const char *const keys[] = { "uses", "runs", "pipeline" };
	for (size_t i = 0; i < countof(keys); i++) {
		const struct ynode *n = ynode_get(step, keys[i]);
		if (n && n->kind != YN_NULL)
			return false;
	}
	return true;
}

static void steps(struct conf_ctx *x, const struct ynode *list)
{
	for (size_t i = 0; list && list->kind == YN_SEQ && i < list->n; i++) {
		const struct ynode *step = list->items[i], *uses = ynode_get(step, "uses");
		if (step->kind != YN_MAP)
			continue;
		if (idle(step))
			conf_report(x, step, false, "empty", "the step does nothing");
		for (size_t k = 0; uses && k < countof(rules); k++)
			if (str_is(uses->text, rules[k].uses))
				rules[k].check(x, step);
		steps(x, ynode_get(step, "pipeline"));
	}
}

void conf_step_rules(struct conf_ctx *x)
{
	const struct ynode *root = x->c->doc->root, *subs = ynode_get(root, "subpackages");
	const struct ynode *test = ynode_get(root, "test");
	steps(x, ynode_get(root, "pipeline"));
	steps(x, test ? ynode_get(test, "pipeline") : NULL);
	for (size_t i = 0; subs && subs->kind == YN_SEQ && i < subs->n; i++) {
		const struct ynode *inner = ynode_get(subs->items[i], "test");
		steps(x, ynode_get(subs->items[i], "pipeline"));
		steps(x, inner ? ynode_get(inner, "pipeline") : NULL);
	}
}
