#include "melange/query/tmpl.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "melange/config/load.h"
#include "shared/sbom/license.h"

static const char *const file =
	"package:\n"
	"  name: zed\n"
	"  version: 1.10\n"
	"  epoch: 3\n"
	"  description: a \"tool\"\n"
	"  timeout: 1h30m\n"
	"  copyright:\n"
	"    - license: MIT OR Apache-2.0\n"
	"      attestation: me\n"
	"    - license: My Lic\n"
	"  dependencies:\n"
	"    runtime: [a, b]\n"
	"  cpe: {vendor: v, product: p}\n"
	"  resources: {cpu: 4, memory: 8Gi}\n"
	"vars: {b: two, a: one}\n"
	"pipeline:\n"
	"  - uses: fetch\n"
	"    with: {uri: x, expected-none: y}\n"
	"    needs: {packages: [wget]}\n"
	"  - runs: make\n"
	"  - pipeline:\n"
	"      - runs: deep\n"
	"subpackages:\n"
	"  - name: zed-dev\n"
	"  - name: zed-doc\n"
	"    dependencies:\n"
	"      runtime: [zed]\n"
	"update:\n"
	"  enabled: true\n"
	"  github: {identifier: o/zed, use-tag: true}\n";

static void evaluate(const char *template, struct buf *out, struct err *err)
{
	auto_arena struct arena a = ARENA_INIT;
	const struct load_opts lo = { .any_version = true };
	struct config c;
	const struct tmpl *t;
	if (!config_parse(str_of(file), "f.yaml", &lo, &a, &c, err))
		fail_msg("%s", err->msg);
	if (tmpl_parse(str_of(template), &a, &t, err))
		(void)!tmpl_run(t, gval_config(&c), out, err);
}

static void values(void **state)
{
	(void)state;
	static const struct {
		const char *template, *want;
	} cases[] = {
		{ "plain {text} }}", "plain {text} }}" },
		{ "{{.Package.Name}}-{{ .Package.FullVersion }}", "zed-1.10-r3" },
		{ "{{.Name}} {{$.Name}} {{(.Package).Name}}", "zed zed zed" },
		{ "{{.Package.Epoch}} {{.Package.Timeout}} {{printf \"%d\" .Package.Timeout}}",
			"3 1h30m0s 5400000000000" },
		{ "{{.Package.LicenseExpression}}",
			"(MIT OR Apache-2.0) AND LicenseRef-My-Lic" },
		{ "{{.Package.FullCopyright | printf \"%q\"}}", "\"me\\n\"" },
		{ "{{.Package.CPEString}} {{.Package.CPE.IsZero}}",
			"cpe:2.3:a:v:p:1.10:*:*:*:*:*:*:* false" },
		{ "{{.Package.PackageURL \"w\" \"x86_64\"}}",
			"pkg:apk/w/zed@1.10-r3?arch=x86_64&distro=w" },
		{ "{{\"x86_64\" | .Package.PackageURL \"w\"}}",
			"pkg:apk/w/zed@1.10-r3?arch=x86_64&distro=w" },
		{ "{{.Vars}} {{.Vars.a}} {{.Vars.none}} {{index .Vars \"none\" | len}}",
			"map[a:one b:two] one <no value> 0" },
		{ "{{.Package.Dependencies.Runtime}} {{.Package.Dependencies.Provides}}", "[a b] []" },
		{ "{{.Package.Resources}} {{.Package.Scriptlets}} {{.Data}}", "{4  8Gi } <nil> []" },
		{ "{{range .Subpackages}}{{.Name}},{{end}}", "zed-dev,zed-doc," },
		{ "{{range $i, $s := .Subpackages}}{{$i}}{{$s.Dependencies.Runtime}}{{end}}",
			"0[]1[zed]" },
		{ "{{range $s := .Subpackages}}{{len $s.Name}}{{end}}", "77" },
		{ "{{range .Package.Checks.Disabled}}x{{else}}none{{end}}", "none" },
		{ "{{range $k, $v := .Vars}}{{$k}}={{$v}};{{end}}", "a=one;b=two;" },
		{ "{{range 3}}{{.}}{{end}}", "012" },
		{ "{{range .Subpackages}}{{break}}x{{end}}.", "." },
		{ "{{range 4}}{{if eq . 2}}{{continue}}{{end}}{{.}}{{end}}", "013" },
		{ "{{with .Update.GitHubMonitor}}{{.Identifier}} {{.UseTags}}{{end}}", "o/zed true" },
		{ "{{with .Update.GitMonitor}}git{{else with .Package}}{{.Name}}{{end}}", "zed" },
		{ "{{with $x := .Name}}{{$x}}{{.}}{{end}}", "zedzed" },
		{ "{{if .Package.Scriptlets}}a{{else if eq .Name \"zed\"}}b{{else}}c{{end}}", "b" },
		{ "{{if and .Update.Enabled (not .Update.Manual)}}auto{{end}}", "auto" },
		{ "{{or \"\" 0 .Name}} {{and 1 \"\" .Nope}}|", "zed |" },
		{ "{{range .Pipeline}}{{.Uses}}:{{len .Pipeline}}:{{if .Needs}}{{.Needs.Packages}}"
		  "{{end}} {{end}}", "fetch:0:[wget] :0: :1: " },
		{ "{{(index .Pipeline 0).With.uri}} {{index .Pipeline 1 | printf \"%v\"}}",
			"x {  map[] make [] map[] <nil>   <nil>  map[]}" },
		{ "{{$n := .Name}}{{$n = \"new\"}}{{$n}}", "new" },
		{ "a  {{- 1 -}}  b {{2}}", "a1b 2" },
		{ "{{- /* a comment */ -}} x", "x" },
		{ "{{println \"x\" 1 true}}{{print 1 2 \"a\" 3}}", "x 1 true\n1 2a3" },
		{ "{{printf \"%5s|%-5s|%05d|%.2s|%t|%%|%v\" \"ab\" \"ab\" -42 \"abc\" true nil}}",
			"   ab|ab   |-0042|ab|true|%|<nil>" },
		{ "{{printf \"%d %s %z\" \"x\" 1 2}}", "%!d(string=x) %!s(int=1) %!z(int=2)" },
		{ "{{printf \"%s\"}} {{printf \"\" 1 \"x\"}} {{printf \"%\"}}",
			"%!s(MISSING) %!(EXTRA int=1, string=x) %!(NOVERB)" },
		{ "{{printf \"%q\" .Package.Dependencies.Runtime}}", "[\"a\" \"b\"]" },
		{ "{{printf \"%q\" \"\\t\\x00\\u00e9\\u200b\"}}", "\"\\t\\x00\u00e9\\u200b\"" },
		{ "{{lt 1 2}} {{le 2 2}} {{gt \"b\" \"a\"}} {{ge 1 2}} {{ne 1 2}} {{eq 1 2 1}}",
			"true true true false true true" },
		{ "{{lt -1 .Package.Epoch}} {{eq .Package.Epoch 3}}", "true true" },
		{ "{{0x1f}} {{0b11}} {{017}} {{-5}} {{'a'}} {{`raw\\n`}}", "31 3 15 -5 97 raw\\n" },
		{ "{{index \"abc\" 1}} {{len \"abc\"}} {{len .Vars}}", "98 3 2" },
		{ "{{ .Package.Name\n}}", "zed" },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		auto_err struct err err = ERR_INIT;
		auto_buf struct buf out = BUF_INIT(1 << 20);
		evaluate(cases[i].template, &out, &err);
		if (err.msg || strcmp(out.p ? out.p : "", cases[i].want) != 0)
			fail_msg("%s gave %s, not %s", cases[i].template, err.msg ? err.msg : out.p,
				cases[i].want);
	}
}

static void errors(void **state)
{
	(void)state;
#define PARSE "invalid template: template: query:"
#define RUN "error executing template: template: query:"
	static const struct {
		const char *template, *want;
	} cases[] = {
		{ "{{", PARSE "1: unclosed action" },
		{ "a\n{{ .Name ", PARSE "2: unclosed action" },
		{ "{{}}", PARSE "1: missing value for command" },
		{ "{{if}}{{end}}", PARSE "1: missing value for if" },
		{ "{{nofunc .Name}}", PARSE "1: function \"nofunc\" not defined" },
		{ "{{$x}}", PARSE "1: undefined variable \"$x\"" },
		{ "{{with $x := 1}}{{end}}{{$x}}", PARSE "1: undefined variable \"$x\"" },
		{ "{{end}}", PARSE "1: unexpected {{end}}" },
		{ "{{if 1}}{{else}}{{else}}{{end}}", PARSE "1: expected end; found {{else}}" },
		{ "{{if 1}}", PARSE "1: unexpected EOF" },
		{ "{{break}}", PARSE "1: {{break}} outside {{range}}" },
		{ "{{template \"x\"}}", PARSE "1: {{template}} is not supported in queries" },
		{ "{{\"abc}}", PARSE "1: unterminated quoted string" },
		{ "{{/* x }}", PARSE "1: unclosed comment" },
		{ "{{1.5}}", PARSE "1: bad number syntax" },
		{ "{{.Name | 1}}", PARSE "1: non executable command in pipeline stage 2" },
		{ "{{(.Name}}", PARSE "1: unclosed left paren" },
		{ "{{.Name)}}", PARSE "1: unexpected right paren" },
		{ "{{@}}", PARSE "1: unexpected \"@\" in command" },
		{ "{{.Name\"x\"}}", PARSE "1: unexpected \"\"\" in operand" },
		{ "{{true.x}}", PARSE "1: unexpected . after term" },
		{ "a{{ .Unlike }}", RUN "1:4: executing \"query\" at <.Unlike>: can't evaluate field Unlike "
			"in type *config.Configuration\nhint: it has Package" },
		{ "\n{{.Package.Nmae}}", RUN "2:10: executing \"query\" at <.Package.Nmae>: can't evaluate "
			"field Nmae in type config.Package\nhint: did you mean Name?" },
		{ "{{.Name.x}}", RUN "1:7: executing \"query\" at <.Name.x>: can't evaluate field x in "
			"type string" },
		{ "{{.Update.GitMonitor.X}}", RUN "1:9: executing \"query\" at <.Update.GitMonitor.X>: "
			"nil pointer evaluating *config.GitMonitor.X" },
		{ "{{index .Subpackages 99}}", RUN "1:2: executing \"query\" at <index .Subpackages 99>: "
			"error calling index: index out of range: 99" },
		{ "{{index .Subpackages \"x\"}}", "cannot index slice/array with type string" },
		{ "{{index .Vars 1}}", "value has type int; should be string" },
		{ "{{index .Package 1}}", "can't index item of type config.Package" },
		{ "{{len 3}}", "error calling len: len of type int" },
		{ "{{len}}", "wrong number of args for len: want 1 got 0" },
		{ "{{index}}", "wrong number of args for index: want at least 1 got 0" },
		{ "{{eq 1 \"x\"}}", "incompatible types for comparison" },
		{ "{{lt true false}}", "invalid type for comparison" },
		{ "{{eq .Package .Package}}", "non-comparable type" },
		{ "{{.Name 1}}", "wrong number of args for Name: want 0 got 1" },
		{ "{{.Package.Version 1}}", "Version is not a method but has arguments" },
		{ "{{.Package.PackageURL \"w\" 1}}", "wrong type for value; expected string; got int" },
		{ "{{1 2}}", "can't give argument to non-function 1" },
		{ "{{nil}}", "nil is not a command" },
		{ "{{range .Name}}{{end}}", "range can't iterate over zed" },
		{ "{{range 4000000000}}x{{end}}", "the template asks for too much" },
		{ "{{range 99999}}{{range 99999}}{{end}}{{end}}", "the template asks for too much" },
		{ "{{$x := \"aaaaaaaa\"}}{{range 99}}{{$x = print $x $x}}{{end}}", "the template asks" },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		auto_err struct err err = ERR_INIT;
		auto_buf struct buf out = BUF_INIT(1 << 20);
		evaluate(cases[i].template, &out, &err);
		if (!err.msg || !strstr(err.msg, cases[i].want))
			fail_msg("%s said %s, not %s", cases[i].template, err.msg, cases[i].want);
	}
}

static void nesting(void **state)
{
	(void)state;
	static const char *const units[] = { "{{if 1}}", "{{range 1}}", "{{with 1}}", "{{(" };
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		auto_err struct err err = ERR_INIT;
		auto_buf struct buf in = BUF_INIT(1 << 20), out = BUF_INIT(1 << 20);
		for (int k = 0; k < 5000; k++)
			buf_adds(&in, units[i] + (i == 3 && k ? 2 : 0));
		evaluate(in.p, &out, &err);
		assert_non_null(err.msg);
		assert_non_null(strstr(err.msg, "levels of nesting"));
	}
}

static void licences(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		bool valid;
	} cases[] = {
		{ "MIT", true }, { "HPND-Markus-Kuhn", true }, { "GPL-2.0+", true }, { "xzoom", true },
		{ "0BSD", true }, { "GPL-2.0-only WITH Classpath-exception-2.0", true },
		{ "(MIT OR BSD-3-Clause) AND Zlib", true }, { "LicenseRef-x", true },
		{ "mit", false }, { "MIT AND", false }, { "", false }, { "MIT WITH MIT", false },
		{ "NOASSERTION", false }, { "custom", false },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (license_valid(str_of(cases[i].text)) != cases[i].valid)
			fail_msg("%s", cases[i].text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values),
		cmocka_unit_test(errors),
		cmocka_unit_test(nesting),
		cmocka_unit_test(licences),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
