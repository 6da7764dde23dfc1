#include "melange/emit/provenance.h"

#include <fcntl.h>
#include <unistd.h>

#include "melange/config/facts.h"
#include "melange/plan/compile.h"
#include "shared/apk/keyring.h"
#include "shared/apk/pkgwrite.h"
#include "shared/archive/stream.h"
#include "shared/base/tstamp.h"
#include "shared/os/fd.h"
#include "shared/text/jwrite.h"

#define BUILD_TYPE "https://chainguard.dev/buildtypes/melange/v1"
#define BUILDER "https://chainguard.dev/prod/builders/melange/v1"

static bool file_sha256(const char *path, char ret_hex[65], struct err *err)
{
	auto_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(err, "cannot open '%s'", path);
	uint8_t md[SHA256_SIZE];
	struct fd_source src;
	struct hash_sink hash;
	off_t end = lseek(fd, 0, SEEK_END);
	fd_source_init(&src, fd, 0, end, path);
	hash_sink_init(&hash, DIGEST_SHA256, NULL);
	bool ok = source_copy(&src.src, &hash.sink, err);
	digest_final(&hash.d, md);
	digest_release(&hash.d);
	hex_encode(md, SHA256_SIZE, ret_hex);
	return ok;
}

/* The compiled configuration is JSON already: it goes in as it is. */
static void statement(const struct emit_build *b, const char *name, const char *hex,
	struct str conf, struct arena *a, struct buf *out)
{
	struct jwrite writer, *w = &writer;
	jw_init(w, out, 0);
	jw_object(w);
	jw_kstr(w, "_type", S("https://in-toto.io/Statement/v1"));
	jw_key(w, "subject");
	jw_array(w);
	jw_object(w);
	jw_kstr(w, "name", str_of(name));
	jw_key(w, "digest");
	jw_object(w);
	jw_kstr(w, "sha256", str_of(hex));
	jw_object_end(w);
	jw_object_end(w);
	jw_array_end(w);
	jw_kstr(w, "predicateType", S("https://slsa.dev/provenance/v1"));
	jw_key(w, "predicate");
	jw_object(w);
	jw_key(w, "buildDefinition");
	jw_object(w);
	jw_kstr(w, "buildType", S(BUILD_TYPE));
	jw_key(w, "externalParameters");
	jw_object(w);
	jw_key(w, "package-configuration");
	jw_str(w, conf);
	jw_object_end(w);
	jw_object_end(w);
	jw_key(w, "runDetails");
	jw_object(w);
	jw_key(w, "builder");
	jw_object(w);
	jw_kstr(w, "id", S(BUILDER));
	jw_key(w, "version");
	jw_object(w);
	jw_kstr(w, "melange", S(PROJECT_VERSION));
	jw_object_end(w);
	jw_object_end(w);
	jw_key(w, "metadata");
	jw_object(w);
	jw_kstr(w, "startedOn", str_of(tstamp_rfc3339(a, b->started)));
	jw_kstr(w, "finishedOn", str_of(tstamp_rfc3339(a, b->finished)));
	jw_object_end(w);
	jw_object_end(w);
	jw_object_end(w);
	jw_object_end(w);
}

bool provenance_write(const struct emit_build *b, const struct emit_pkg *p, const char *apk,
	struct arena *a, struct err *err)
{
	char hex[65];
	auto_buf struct buf conf = BUF_INIT(256u << 20), text = BUF_INIT(600u << 20);
	auto_buf struct buf member = BUF_INIT(600u << 20), out = BUF_INIT(600u << 20);
	struct str version = package_full_version(&b->conf->package, a);
	const char *stem = arena_printf(a, "%s-%.*s", p->name, STR_ARG(version));
	if (!file_sha256(apk, hex, err) || !config_json(b->conf, &conf, err))
		return false;
	statement(b, arena_printf(a, "%s.apk", stem), hex, str_trim(buf_str(&conf)), a, &text);
	const struct pkgwrite_control file = { arena_strf(a, "%s.attestation", stem), 0644,
		buf_str(&text) };
	if (!pkgwrite_control(&file, 1, b->epoch, &member, err))
		return false;
	uint8_t md[SHA256_SIZE];
	digest_once(DIGEST_SHA256, member.p, member.n, md);
	if (b->key && !apk_sign_member(b->key, b->key_path, md, b->epoch, &out, err))
		return false;
	buf_add(&out, member.p, member.n);
	return file_write(arena_printf(a, "%s/%s.attest.tar.gz", b->out_dir, stem), out.p, out.n, 0644,
		err);
}
