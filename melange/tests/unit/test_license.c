#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "melange/license/licfiles.h"
#include "melange/license/lictext.h"
#include "shared/base/buf.h"

static const struct {
	const char *name;
	double weight;
} names[] = {
	{ "LICENSE", 1.0 }, { "licence", 1.0 }, { "UNLICENSE", 1.0 }, { "COPYING", 0.9 },
	{ "Copyright", 0.9 }, { "LICENSE.md", 0.8 }, { "licence.txt", 0.8 }, { "LICENSE.1.2", 0.8 },
	{ "Copying.LIB", 0.75 }, { "LICENSE-MIT", 0.7 }, { "LICENSE-MIT.txt", 0.7 },
	{ "COPYING-lgpl", 0.65 }, { "x-LICENSE", 0.6 }, { "a-b-license.txt", 0.6 },
	{ "x-COPYING", 0.55 }, { "OFL", 0.4 }, { "OFL.txt", 0.5 }, { "PATENTS", 0.35 },
	{ "patents.md", 0.3 }, { "LICENSE.go", 0 }, { "LICENSE.xml", 0 }, { "LICENSE.spdx", 0 },
	{ "LICENSE.header", 0 }, { "x-license.gemspec", 0 }, { "LICENSES", 0 }, { "MYLICENSE", 0 },
	{ "README", 0 }, { "", 0 }, { "-", 0 }, { "-LICENSE", 0 }, { "license_x", 0 },
};

static void test_weights(void **state)
{
	(void)state;
	char longest[300];
	for (size_t i = 0; i < countof(names); i++)
		if (lic_weight(str_of(names[i].name)) != names[i].weight)
			fail_msg("%s: %f", names[i].name, lic_weight(str_of(names[i].name)));
	for (size_t i = 0; i < sizeof(longest); i++)
		longest[i] = 'x';
	assert_true(lic_weight(str_n(longest, sizeof(longest))) == 0);
}

/* What a mark's own phrases say, with noise around and between them. */
static void spell(const struct lic_mark *m, const char *between, struct buf *out)
{
	buf_adds(out, "Copyright (c) 1999 Somebody\n\n");
	for (size_t i = 0; i < countof(m->phrases) && m->phrases[i]; i++)
		buf_printf(out, "%s%s%s", i ? between : "", m->phrases[i], between);
}

static void test_marks(void **state)
{
	(void)state;
	for (size_t i = 0; i < n_lic_marks; i++) {
		auto_buf struct buf text = BUF_INIT(1 << 20);
		spell(&lic_marks[i], ".\n * 2) ", &text);
		struct lic_match m = lic_identify(buf_str(&text));
		assert_string_equal(m.id, lic_marks[i].id);
		assert_string_equal(m.kind, lic_marks[i].kind);
		assert_true(m.confidence == 1);
	}
}

static const struct {
	const char *what, *id, *text;
	double least, most;
} texts[] = {
	{ "nothing", "NOASSERTION", "", 0, 0 },
	{ "two words", "NOASSERTION", "MIT License", 0, 0 },
	{ "another text", "NOASSERTION", "This program may be used by all who like it.", 0, 0 },
	{ "half of one", "NOASSERTION",
		"Permission is hereby granted, free of charge, to any person obtaining a copy of this "
		"software and associated documentation files (the \"Software\"), to deal in the "
		"Software without restriction", 0, 0 },
	{ "British, numbered, commented", "BSD-2-Clause",
		"# Redistribution and use in source and binary forms, with or without modification,\n"
		"# are permitted provided that the following conditions are met:\n"
		"# 1. Redistributions of source code must retain the above copyright notice, this\n"
		"#    list of conditions and the following disclaimer.\n"
		"# 2. Redistributions in binary form must reproduce the above copyright notice, this\n"
		"#    list of conditions and the following disclaimer in the documentation and/or\n"
		"#    other materials provided with the distribution.\n", 1, 1 },
	{ "the third clause makes another", "BSD-3-Clause",
		"Redistribution and use in source and binary forms, with or without modification, are "
		"permitted provided that the following conditions are met: Redistributions must retain "
		"the above copyright notice, this list of conditions and the following disclaimer. "
		"Redistributions in binary form must reproduce the above copyright notice, this list of "
		"conditions and the following disclaimer in the documentation and/or other materials "
		"provided with the distribution. Neither the name of X nor others may be used to endorse "
		"or promote products derived from this software without specific prior written "
		"permission.", 1, 1 },
	{ "licence for license", "Artistic-2.0",
		"The Artistic Licence 2.0. This licence establishes the terms under which a given free "
		"software Package may be copied, modified, distributed, and/or redistributed.", 1, 1 },
	{ "some words differ", "Unlicense",
		"This is free and unencumbered software released into the public domain by me. Anyone "
		"is free to copy, modify, publish, use, compile, sell, or distribute this software, "
		"either in source code form or as a binary, for any purpose, commercial or "
		"non-commercial, and by any means.", 0.8, 0.95 },
};

static void test_texts(void **state)
{
	(void)state;
	for (size_t i = 0; i < countof(texts); i++) {
		struct lic_match m = lic_identify(str_of(texts[i].text));
		if (!str_is(str_of(m.id), texts[i].id) || m.confidence < texts[i].least ||
			m.confidence > texts[i].most)
			fail_msg("%s: %s %f", texts[i].what, m.id, m.confidence);
	}
}

static void test_any_bytes(void **state)
{
	(void)state;
	auto_buf struct buf b = BUF_INIT(4 << 20);
	for (unsigned i = 0; i < 1u << 20; i++)
		buf_addc(&b, (char)(i * 2654435761u >> 13));
	assert_string_equal(lic_identify(buf_str(&b)).id, "NOASSERTION");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_weights),
		cmocka_unit_test(test_marks),
		cmocka_unit_test(test_texts),
		cmocka_unit_test(test_any_bytes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
