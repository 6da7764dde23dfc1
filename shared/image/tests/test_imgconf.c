#include "shared/image/imgconf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shared/os/dir.h"
#include "shared/os/fd.h"

static char dir[] = "/tmp/imgconf.XXXXXX";
static struct arena a;

static int enter(unused_arg void **state)
{
	arena_init(&a);
	strcpy(dir, "/tmp/imgconf.XXXXXX");
	return mkdtemp(dir) && chdir(dir) == 0 ? 0 : -1;
}

static int leave(unused_arg void **state)
{
	auto_err struct err err = ERR_INIT;
	arena_release(&a);
	return chdir("/") == 0 && dir_remove(dir, &err) ? 0 : -1;
}

static void put(const char *name, const char *text)
{
	FILE *f = fopen(name, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static struct imgconf load(const char *name)
{
	auto_err struct err err = ERR_INIT;
	struct imgconf c = {0};
	if (!imgconf_load(name, NULL, &a, &c, NULL, &err))
		fail_msg("%s", err.msg);
	return c;
}

static const char *json(const struct imgconf *c)
{
	auto_err struct err err = ERR_INIT;
	auto_buf struct buf out = BUF_INIT(1 << 20);
	assert_true(imgconf_json(c, &out, &err));
	return arena_str(&a, buf_str(&out)).p;
}

static const char *yaml(const struct imgconf *c)
{
	auto_err struct err err = ERR_INIT;
	auto_buf struct buf out = BUF_INIT(1 << 20);
	assert_true(imgconf_yaml(c, &out, &err));
	return arena_str(&a, buf_str(&out)).p;
}

static const char everything[] =
	"contents:\n"
	"  keyring: [k.rsa.pub, 'https://u:p@h/k.pub']\n"
	"  repositories: [repo/, '@t https://u:p%40q@h/r/', 'https://token@h/x']\n"
	"  build_repositories: ['https://h/b']\n"
	"  runtime_repositories: ['https://u:p@h/rt']\n"
	"  packages: [b, a=1]\n"
	"entrypoint: {command: /bin/sh -l}\n"
	"cmd: -c\n"
	"stop-signal: 9\n"
	"work-dir: /w\n"
	"accounts:\n"
	"  run-as: u\n"
	"  users: [{username: u, uid: 0x10}, {username: v, uid: 2, gid: 0, shell: /s, homedir: "
	"/h}]\n"
	"  groups: [{groupname: g, gid: 010, members: [u, v]}, {groupname: h}]\n"
	"archs: [x86_64, armhf]\n"
	"environment: {Z: 1, A: '<&>', B: }\n"
	"paths:\n"
	"  - {path: /p, type: directory, permissions: 0o2755, uid: 0, recursive: true}\n"
	"  - {path: /q, type: symlink, source: /p}\n"
	"vcs-url: u@h\n"
	"annotations: {k: v}\n"
	"volumes: [/v]\n"
	"layering: {strategy: origin, budget: 3}\n"
	"format: tar\n";

static void as_json(unused_arg void **state)
{
	put("c.yaml", everything);
	struct imgconf c = load("c.yaml");
	assert_string_equal(json(&c),
		"{\"contents\":{\"build_repositories\":[\"https://h/b\"],"
		"\"runtime_repositories\":[\"https://u:p@h/rt\"],"
		"\"repositories\":[\"repo\",\"@t https://u:p%40q@h/r\",\"https://token@h/x\"],"
		"\"keyring\":[\"k.rsa.pub\",\"https://u:p@h/k.pub\"],\"packages\":[\"b\",\"a=1\"]},"
		"\"entrypoint\":{\"command\":\"/bin/sh -l\"},\"cmd\":\"-c\",\"stop-signal\":\"9\","
		"\"work-dir\":\"/w\",\"accounts\":{\"run-as\":\"u\",\"users\":["
		"{\"username\":\"u\",\"uid\":16,\"homedir\":\"/home/u\"},"
		"{\"username\":\"v\",\"uid\":2,\"gid\":0,\"shell\":\"/s\",\"homedir\":\"/h\"}],"
		"\"groups\":[{\"groupname\":\"g\",\"gid\":8,\"members\":[\"u\",\"v\"]},"
		"{\"groupname\":\"h\"}]},\"archs\":[\"x86_64\",\"armhf\"],"
		"\"environment\":{\"A\":\"\\u003c\\u0026\\u003e\",\"B\":\"\",\"Z\":\"1\"},"
		"\"paths\":[{\"path\":\"/p\",\"type\":\"directory\",\"uid\":0,\"permissions\":1517,"
		"\"recursive\":true},{\"path\":\"/q\",\"type\":\"symlink\",\"source\":\"/p\"}],"
		"\"annotations\":{\"k\":\"v\"},\"volumes\":[\"/v\"],"
		"\"layering\":{\"strategy\":\"origin\",\"budget\":3},\"format\":\"tar\"}");
}

static void as_yaml(unused_arg void **state)
{
	put("c.yaml", everything);
	struct imgconf c = load("c.yaml");
	assert_string_equal(yaml(&c), "contents:\n"
				      "    build_repositories:\n"
				      "        - https://h/b\n"
				      "    runtime_repositories:\n"
				      "        - https://u:xxxxx@h/rt\n"
				      "    repositories:\n"
				      "        - repo\n"
				      "        - '@t https://u:xxxxx@h/r'\n"
				      "        - https://token@h/x\n"
				      "    keyring:\n"
				      "        - k.rsa.pub\n"
				      "        - https://u:xxxxx@h/k.pub\n"
				      "    packages:\n"
				      "        - b\n"
				      "        - a=1\n"
				      "entrypoint:\n"
				      "    type: \"\"\n"
				      "    command: /bin/sh -l\n"
				      "    shell-fragment: \"\"\n"
				      "    services: {}\n"
				      "cmd: -c\n"
				      "stop-signal: \"9\"\n"
				      "work-dir: /w\n"
				      "accounts:\n"
				      "    run-as: u\n"
				      "    users:\n"
				      "        - username: u\n"
				      "          uid: 16\n"
				      "          shell: \"\"\n"
				      "          homedir: /home/u\n"
				      "        - username: v\n"
				      "          uid: 2\n"
				      "          gid: 0\n"
				      "          shell: /s\n"
				      "          homedir: /h\n"
				      "    groups:\n"
				      "        - groupname: g\n"
				      "          gid: 8\n"
				      "          members:\n"
				      "            - u\n"
				      "            - v\n"
				      "        - groupname: h\n"
				      "          gid: 0\n"
				      "          members: []\n"
				      "archs:\n"
				      "    - amd64\n"
				      "    - arm/v6\n"
				      "environment:\n"
				      "    A: <&>\n"
				      "    B: \"\"\n"
				      "    Z: \"1\"\n"
				      "paths:\n"
				      "    - path: /p\n"
				      "      type: directory\n"
				      "      uid: 0\n"
				      "      permissions: 1517\n"
				      "      source: \"\"\n"
				      "      recursive: true\n"
				      "    - path: /q\n"
				      "      type: symlink\n"
				      "      permissions: 0\n"
				      "      source: /p\n"
				      "      recursive: false\n"
				      "vcs-url: u@h\n"
				      "annotations:\n"
				      "    k: v\n"
				      "volumes:\n"
				      "    - /v\n"
				      "layering:\n"
				      "    strategy: origin\n"
				      "    budget: 3\n"
				      "format: tar\n");
}

static void little(unused_arg void **state)
{
	static const struct {
		const char *in, *json, *yaml;
	} cases[] = {
		{"{}", "{\"contents\":{},\"entrypoint\":{},\"accounts\":{}}", "{}\n"},
		{"layering: {}\ncertificates: {}",
			"{\"contents\":{},\"entrypoint\":{},\"accounts\":{},\"layering\":{},"
			"\"certificates\":{}}",
			"layering: {}\ncertificates: {}\n"},
		{"accounts: {groups: [{groupname: g, gid: 1}]}",
			"{\"contents\":{},\"entrypoint\":{},\"accounts\":{\"groups\":["
			"{\"groupname\":\"g\",\"gid\":1}]}}",
			"accounts:\n    run-as: \"\"\n    users: []\n    groups:\n"
			"        - groupname: g\n          gid: 1\n          members: []\n"},
		{"entrypoint: {type: service-bundle, services: {b: x, a: y}}",
			"{\"contents\":{\"packages\":[\"s6\"]},\"entrypoint\":{"
			"\"type\":\"service-bundle\",\"command\":\"/bin/s6-svscan /sv\","
			"\"services\":{\"a\":\"y\",\"b\":\"x\"}},\"accounts\":{}}",
			"contents:\n    packages:\n        - s6\nentrypoint:\n"
			"    type: service-bundle\n    command: /bin/s6-svscan /sv\n"
			"    shell-fragment: \"\"\n    services:\n        a: \"y\"\n        b: "
			"x\n"},
		{"contents: {baseimage: {image: b, apkindex: m}}\narchs: [arm64]",
			"{\"contents\":{\"baseimage\":{\"image\":\"b\",\"apkindex\":\"m\"}},"
			"\"entrypoint\":{},\"accounts\":{},\"archs\":[\"arm64\"]}",
			"contents:\n    baseimage:\n        image: b\n        apkindex: m\n"
			"archs:\n    - arm64\n"},
	};
	for (size_t i = 0; i < countof(cases); i++) {
		put("c.yaml", cases[i].in);
		struct imgconf c = load("c.yaml");
		assert_string_equal(json(&c), cases[i].json);
		assert_string_equal(yaml(&c), cases[i].yaml);
	}
}

static void include(unused_arg void **state)
{
	put("c.yaml",
		"include: sub/base.yaml\ncontents: {packages: [c], repositories: [rc]}\n"
		"entrypoint: {type: x}\narchs: [arm64]\nenvironment: {A: child}\n"
		"accounts: {users: [{username: c, uid: 1}]}\npaths: [{path: /c, type: directory}]\n"
		"annotations: {y: child}\nvolumes: [/c]\nlayering: {}\n");
	assert_int_equal(mkdir("sub", 0755), 0);
	put("sub/base.yaml",
		"contents: {packages: [b], repositories: [rb], keyring: [kb]}\nvcs-url: b\n"
		"entrypoint: {command: b}\ncmd: b\nwork-dir: b\narchs: [x86]\n"
		"environment: {A: base, B: base}\naccounts: {run-as: b, users: [{username: b, uid: "
		"2}]}\n"
		"paths: [{path: /b, type: directory}]\nannotations: {x: base, y: base}\nvolumes: "
		"[/b]\n"
		"layering: {strategy: origin}\n");
	struct imgconf c = load("c.yaml");
	assert_string_equal(json(&c),
		"{\"contents\":{\"repositories\":[\"rb\",\"rc\"],\"keyring\":[\"kb\"],"
		"\"packages\":[\"b\",\"c\"]},\"entrypoint\":{\"type\":\"x\"},\"cmd\":\"b\","
		"\"work-dir\":\"b\",\"accounts\":{\"run-as\":\"b\",\"users\":["
		"{\"username\":\"b\",\"uid\":2,\"homedir\":\"/home/b\"},"
		"{\"username\":\"c\",\"uid\":1,\"homedir\":\"/home/c\"}]},\"archs\":[\"arm64\"],"
		"\"environment\":{\"A\":\"child\",\"B\":\"base\"},"
		"\"paths\":[{\"path\":\"/b\",\"type\":\"directory\"},"
		"{\"path\":\"/c\",\"type\":\"directory\"}],"
		"\"annotations\":{\"x\":\"base\",\"y\":\"child\"},\"volumes\":[\"/b\",\"/c\"],"
		"\"layering\":{}}");
	assert_true(str_is(c.include.s, "sub/base.yaml"));
	assert_int_equal(c.vcs_url.s.n, 0);
}

/* As given, else under the roots, in order; the sources are told in reading order. */
static void roots(unused_arg void **state)
{
	auto_err struct err err = ERR_INIT;
	struct strs dirs = {0}, sources = {0};
	struct imgconf c;
	assert_int_equal(mkdir("r1", 0755) | mkdir("r2", 0755), 0);
	put("c.yaml", "include: i.yaml\n");
	put("r1/j.yaml", "cmd: r1j\n");
	put("r2/i.yaml", "include: j.yaml\n");
	put("r2/j.yaml", "cmd: r2j\n");
	strs_push(&a, &dirs, S("r1"));
	strs_push(&a, &dirs, S("r2"));
	assert_true(imgconf_load("c.yaml", &dirs, &a, &c, &sources, &err));
	assert_true(str_is(c.cmd.s, "r1j"));
	assert_int_equal(sources.n, 3);
	assert_true(str_is(sources.v[0], "include: i.yaml\n"));
	assert_true(str_is(sources.v[2], "cmd: r1j\n"));
	assert_false(imgconf_load("c.yaml", NULL, &a, &c, NULL, &err));
	assert_non_null(strstr(err.msg, "i.yaml"));
}

static void cycles(unused_arg void **state)
{
	static const char *const files[] = {"self.yaml", "a.yaml"};
	put("self.yaml", "include: self.yaml\n");
	put("a.yaml", "include: b.yaml\n");
	put("b.yaml", "include: a.yaml\n");
	for (size_t i = 0; i < countof(files); i++) {
		auto_err struct err err = ERR_INIT;
		struct imgconf c;
		assert_false(imgconf_load(files[i], NULL, &a, &c, NULL, &err));
		assert_non_null(strstr(err.msg, "include cycle"));
	}
}

static void refused(unused_arg void **state)
{
	static const char *const cases[][2] = {
		{"", "the file is empty"},
		{"- a", "c.yaml:1:1"},
		{"os-release: {}", "c.yaml:1:1: "},
		{"contents: {pakcages: [a]}", "packages"},
		{"contents: {packages: {}}", "c.yaml:1:"},
		{"cmd: a\ncmd: b", "c.yaml:2:1"},
		{"paths: [{permissions: rwx}]", "permissions"},
		{"paths: [{recursive: maybe}]", "recursive"},
		{"archs: [arm]", "'arm'"},
		{"format: zip", "'zip'"},
		{"format: erofs\nlayering: {}", "erofs"},
		{"layering: {strategy: size}", "'size'"},
		{"layering: {strategy: origin, budget: -1}", "negative"},
		{"accounts: {users: [{uid: 5}]}", "no username"},
		{"accounts:\n  users:\n    - {username: r, uid: 0}",
			"c.yaml:3:7: configured user 'r'"},
		{"accounts: {users: [{username: r, uid: 4294967296}]}", "from 0 to 4294967295"},
		{"accounts: {users: [{username: r, uid: 1, gid: -1}]}", "from 0 to 4294967295"},
		{"paths: [{path: p, type: directory, uid: -1}]", "path 'p'"},
		{"paths: [{path: p, type: directory, permissions: 4294967296}]", "path 'p'"},
		{"accounts: {groups: [{groupname: g, gid: 4294967296}]}", "from 0 to 4294967295"},
		{"accounts: {groups: [{gid: 5}]}", "no groupname"},
		{"contents: {baseimage: {image: a}}\ncmd: x", "only contents, archs, include"},
		{"contents: {baseimage: {image: a}}\nlayering: {}", "base image"},
		{"contents: {runtime_keyring: [{name: a, content: b}]}", "'a'"},
		{"certificates: {additional: [{name: ../a, content: b}]}", "'../a'"},
	};
	for (size_t i = 0; i < countof(cases); i++) {
		auto_err struct err err = ERR_INIT;
		struct imgconf c;
		put("c.yaml", cases[i][0]);
		if (imgconf_load("c.yaml", NULL, &a, &c, NULL, &err))
			fail_msg("'%s' accepted", cases[i][0]);
		if (!strstr(err.msg, cases[i][1]))
			fail_msg("'%s': '%s' does not say '%s'", cases[i][0], err.msg, cases[i][1]);
		assert_true(err.kind == EK_SOURCE || err.kind == EK_PARSE);
	}
}

static void copy(unused_arg void **state)
{
	struct imgconf copied;
	put("c.yaml", everything);
	struct imgconf c = load("c.yaml");
	const char *before = json(&c);
	imgconf_copy(&c, &a, &copied);
	assert_string_equal(json(&copied), before);
	copied.contents.packages.v[0].s = S("other");
	copied.environment.v[0].val.s = S("other");
	((struct imgconf_user *)copied.accounts.users.v)[0].uid.n = 99;
	((struct imgconf_path *)copied.paths.v)[0].path.s = S("other");
	assert_string_equal(json(&c), before);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, enter, leave)
	const struct CMUnitTest tests[] = {
		TEST(as_json),
		TEST(as_yaml),
		TEST(little),
		TEST(include),
		TEST(roots),
		TEST(cycles),
		TEST(refused),
		TEST(copy),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
