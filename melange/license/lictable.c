#include "melange/license/lictext.h"

#include "shared/base/compiler.h"

#define MIT_GRANT                                                                                  \
	"permission is hereby granted free of charge to any person obtaining a copy of this "      \
	"software and associated documentation files the software to deal in the software "        \
	"without restriction"
#define MIT_KEEP                                                                                   \
	"the above copyright notice and this permission notice shall be included in all copies "   \
	"or substantial portions of the software"
#define MIT_AS_IS                                                                                  \
	"the software is provided as is without warranty of any kind express or implied "          \
	"including but not limited to the warranties of merchantability"
#define ISC_AS_IS                                                                                  \
	"the software is provided as is and the author disclaims all warranties with regard to "   \
	"this software including all implied warranties of merchantability and fitness"
#define ISC_DAMAGES                                                                                \
	"be liable for any special direct indirect or consequential damages or any damages "       \
	"whatsoever resulting from loss of use data or profits"
#define BSD_GRANT                                                                                  \
	"redistribution and use in source and binary forms with or without modification are "      \
	"permitted provided that the following conditions are met"
#define BSD_KEEP                                                                                   \
	"must retain the above copyright notice this list of conditions and the following "        \
	"disclaimer"
#define BSD_SHOW                                                                                   \
	"in binary form must reproduce the above copyright notice this list of conditions and "    \
	"the following disclaimer in the documentation and or other materials provided with the "  \
	"distribution"
#define BSD_NAMES                                                                                  \
	"may be used to endorse or promote products derived from this software without specific "  \
	"prior written permission"

#define NOTICE "notice"
#define RECIPROCAL "reciprocal"
#define RESTRICTED "restricted"
#define FREE "unencumbered"

const struct lic_mark lic_marks[] = {
	{ "0BSD", FREE,
		{ "permission to use copy modify and or distribute this software for any purpose "
		  "with or without fee is hereby granted " ISC_AS_IS, ISC_DAMAGES } },
	{ "AGPL-3.0-only", RESTRICTED,
		{ "gnu affero general public license version 3 19 november 2007",
		  "the gnu affero general public license is a free copyleft license for software and "
		  "other kinds of works specifically designed to ensure cooperation with the "
		  "community in the case of network server software" } },
	{ "Apache-2.0", NOTICE,
		{ "apache license version 2 0 january 2004",
		  "terms and conditions for use reproduction and distribution",
		  "licensor shall mean the copyright owner or entity authorized by the copyright "
		  "owner that is granting the license",
		  "subject to the terms and conditions of this license each contributor hereby "
		  "grants to you a perpetual worldwide non exclusive no charge royalty free "
		  "irrevocable copyright license" } },
	{ "Artistic-1.0-Perl", NOTICE,
		{ "the intent of this document is to state the conditions under which a package may "
		  "be copied such that the copyright holder maintains some semblance of artistic "
		  "control over the development of the package" } },
	{ "Artistic-2.0", NOTICE,
		{ "the artistic license 2 0",
		  "this license establishes the terms under which a given free software package may "
		  "be copied modified distributed and or redistributed" } },
	{ "BSD-2-Clause", NOTICE, { BSD_GRANT, BSD_KEEP, BSD_SHOW } },
	{ "BSD-3-Clause", NOTICE, { BSD_GRANT, BSD_KEEP, BSD_SHOW, BSD_NAMES } },
	{ "BSD-4-Clause", NOTICE,
		{ BSD_GRANT, BSD_KEEP, BSD_SHOW, BSD_NAMES,
		  "all advertising materials mentioning features or use of this software must "
		  "display the following acknowledgement" } },
	{ "BSL-1.0", NOTICE,
		{ "boost software license version 1 0 august 17th 2003",
		  "permission is hereby granted free of charge to any person or organization "
		  "obtaining a copy of the software and accompanying documentation covered by this "
		  "license" } },
	{ "CC0-1.0", FREE,
		{ "the laws of most jurisdictions throughout the world automatically confer "
		  "exclusive copyright and related rights defined below upon the creator",
		  "affirmer hereby overtly fully permanently irrevocably and unconditionally waives "
		  "abandons and surrenders all of affirmer s copyright and related rights" } },
	{ "CDDL-1.0", RECIPROCAL,
		{ "common development and distribution license cddl version 1 0",
		  "covered software means a the original software or b modifications or c the "
		  "combination of files containing original software with files containing "
		  "modifications" } },
	{ "EPL-1.0", RECIPROCAL,
		{ "eclipse public license v 1 0",
		  "the accompanying program is provided under the terms of this eclipse public "
		  "license agreement any use reproduction or distribution of the program "
		  "constitutes recipient s acceptance of this agreement" } },
	{ "EPL-2.0", RECIPROCAL,
		{ "eclipse public license v 2 0",
		  "the accompanying program is provided under the terms of this eclipse public "
		  "license agreement any use reproduction or distribution of the program "
		  "constitutes recipient s acceptance of this agreement",
		  "secondary license means either the gnu general public license version 2 0 or any "
		  "later versions of that license" } },
	{ "GFDL-1.2-only", RESTRICTED,
		{ "gnu free documentation license version 1 2 november 2002" } },
	{ "GFDL-1.3-only", RESTRICTED,
		{ "gnu free documentation license version 1 3 3 november 2008" } },
	{ "GPL-1.0-only", RESTRICTED,
		{ "gnu general public license version 1 february 1989",
		  "the license agreements of most software companies try to keep users at the mercy "
		  "of those companies" } },
	{ "GPL-2.0-only", RESTRICTED,
		{ "gnu general public license version 2 june 1991",
		  "this license applies to any program or other work which contains a notice placed "
		  "by the copyright holder saying it may be distributed under the terms of this "
		  "general public license" } },
	{ "GPL-3.0-only", RESTRICTED,
		{ "gnu general public license version 3 29 june 2007",
		  "the gnu general public license is a free copyleft license for software and other "
		  "kinds of works" } },
	{ "ISC", NOTICE,
		{ "distribute this software for any purpose with or without fee is hereby granted "
		  "provided that the above copyright notice and this permission notice appear in "
		  "all copies", ISC_AS_IS, ISC_DAMAGES } },
	{ "LGPL-2.0-only", RESTRICTED,
		{ "gnu library general public license version 2 june 1991",
		  "this license the library general public license applies to some specially "
		  "designated free software foundation software" } },
	{ "LGPL-2.1-only", RESTRICTED,
		{ "gnu lesser general public license version 2 1 february 1999",
		  "this license the lesser general public license applies to some specially "
		  "designated software packages typically libraries" } },
	{ "LGPL-3.0-only", RESTRICTED,
		{ "gnu lesser general public license version 3 29 june 2007",
		  "this version of the gnu lesser general public license incorporates the terms and "
		  "conditions of version 3 of the gnu general public license supplemented by the "
		  "additional permissions listed below" } },
	{ "MIT", NOTICE, { MIT_GRANT, MIT_KEEP, MIT_AS_IS } },
	{ "MIT-0", FREE,
		{ MIT_GRANT,
		  "to permit persons to whom the software is furnished to do so the software is "
		  "provided as is", MIT_AS_IS } },
	{ "MPL-1.1", RECIPROCAL,
		{ "mozilla public license version 1 1",
		  "commercial use means distribution or otherwise making the covered code available "
		  "to a third party" } },
	{ "MPL-2.0", RECIPROCAL,
		{ "mozilla public license version 2 0",
		  "means source code form to which the initial contributor has attached the notice "
		  "in exhibit a" } },
	{ "NCSA", NOTICE,
		{ "to deal with the software without restriction including without limitation the "
		  "rights to use copy modify merge publish distribute sublicense",
		  "must retain the above copyright notice this list of conditions and the following "
		  "disclaimers",
		  "may be used to endorse or promote products derived from this software without "
		  "specific prior written permission" } },
	{ "OFL-1.1", RECIPROCAL,
		{ "sil open font license version 1 1 26 february 2007",
		  "the goals of the open font license ofl are to stimulate worldwide development of "
		  "collaborative font projects" } },
	{ "PostgreSQL", NOTICE,
		{ "permission to use copy modify and distribute this software and its documentation "
		  "for any purpose without fee and without a written agreement is hereby granted "
		  "provided that the above copyright notice and this paragraph and the following "
		  "two paragraphs appear in all copies" } },
	{ "PSF-2.0", NOTICE,
		{ "python software foundation license version 2",
		  "this license agreement is between the python software foundation psf and the "
		  "individual or organization licensee accessing and otherwise using" } },
	{ "Unlicense", FREE,
		{ "this is free and unencumbered software released into the public domain",
		  "anyone is free to copy modify publish use compile sell or distribute this "
		  "software either in source code form or as a compiled binary for any purpose "
		  "commercial or non commercial and by any means" } },
	{ "WTFPL", FREE,
		{ "everyone is permitted to copy and distribute verbatim or modified copies of this "
		  "license document and changing it is allowed as long as the name is changed" } },
	{ "X11", NOTICE,
		{ MIT_GRANT, MIT_KEEP, MIT_AS_IS,
		  "shall not be used in advertising or otherwise to promote the sale use or other "
		  "dealings in this software without prior written authorization" } },
	{ "Zlib", NOTICE,
		{ "this software is provided as is without any express or implied warranty in no "
		  "event will the authors be held liable for any damages arising from the use of "
		  "this software",
		  "permission is granted to anyone to use this software for any purpose including "
		  "commercial applications and to alter it and redistribute it freely subject to "
		  "the following restrictions",
		  "must be plainly marked as such and must not be misrepresented as being the "
		  "original software" } },
	{ "curl", NOTICE,
		{ "permission to use copy modify and distribute this software for any purpose with "
		  "or without fee is hereby granted provided that the above copyright notice and "
		  "this permission notice appear in all copies",
		  "shall not be used in advertising or otherwise to promote the sale use or other "
		  "dealings in this software without prior written authorization" } },
};
const size_t n_lic_marks = countof(lic_marks);
