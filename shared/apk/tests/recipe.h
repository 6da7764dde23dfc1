#pragma once

#include "shared/apk/expand.h"
#include "shared/base/buf.h"

/* Packages for tests, made in memory, each with at most a few things wrong, and a store to expand
 * them into. Failing to make one fails the test. */

struct ent {
	const char *name;
	char type;
	const char *text;	/* content, or target of a link */
	const char *sha1;	/* NULL = right, "" = none */
	const char *key, *val;	/* another pax record */
	uint32_t mode;
};

struct recipe {
	const char *what;
	const char *error;		/* NULL = must expand */
	enum err_kind kind;		/* EK_NONE = any */
	const struct ent *data;		/* NULL = a plain file */
	const char *pkginfo;		/* %s = datahash; NULL = plain */
	const struct ent *control;	/* besides .PKGINFO */
	const struct ent *sig;		/* in front */
	bool sig_end, no_pkginfo, data_no_end, expect_index;
	void (*tar)(struct buf *tar);	/* changes the data tar */
	void (*gz)(struct buf *gz);	/* changes its compressed bytes before they are hashed */
	void (*apk)(struct buf *apk);	/* changes the file */
	const char *name, *version, *arch;	/* expected */
	uint64_t size;
	const char *q;
	struct apk_limits lim;
};

#define INFO(rest)                                                                                 \
	"pkgname = foo\npkgver = 1.0-r0\narch = x86_64\nsize = 5\n" rest "datahash = %s\n"

#define F(name, text) { name, '0', text, NULL, NULL, NULL, 0644 }
#define D(name) { name, '5', NULL, NULL, NULL, NULL, 0755 }
#define L(name, target) { name, '2', target, NULL, NULL, NULL, 0777 }
#define H(name, target) { name, '1', target, NULL, NULL, NULL, 0644 }
#define E(...) (const struct ent[]){ __VA_ARGS__, { 0 } }
#define BARE(name, text) { name, '0', text, "", NULL, NULL, 0644 }
#define SIG(name, text) { name, '0', text, "", NULL, NULL, 0644 }

/* Of "hello". */
#define HELLO_SHA1 "aaf4c61ddcc5e8a2dabede0f3b482cd9aea9434d"
#define HELLO_Q1 "Q1qvTGHdzF6KLavt4PO0gs2a6pQ00="

extern const struct ent recipe_plain[];	/* usr/hello, with "hello" in it */

/* Appends the entries, up to the nameless one. */
void recipe_add_entries(struct buf *tar, const struct ent *e);
/* The package; ret_sum is its control section's checksum. */
void recipe_build(const struct recipe *r, struct buf *apk, uint8_t ret_sum[SHA1_SIZE]);

struct recipe_fix {
	struct arena a;
	char *dir;
	struct store *s;
};

int recipe_setup(void **state);		/* of cmocka: *state is a struct recipe_fix */
int recipe_teardown(void **state);
size_t recipe_names_left(struct recipe_fix *f);		/* temporary files of the store */
uint64_t recipe_objects(struct recipe_fix *f);		/* of the store, which has nothing temporary */
void recipe_clear_store(struct recipe_fix *f);
int recipe_write(struct recipe_fix *f, const struct buf *apk);	/* a descriptor of DIR/foo.apk */
/* Expands it under the name foo.apk, as what the recipe expects. */
bool recipe_run(struct recipe_fix *f, const struct recipe *r, bool stream, struct apk_file *ret,
	uint8_t sum[SHA1_SIZE], struct err *err);
