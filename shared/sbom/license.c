#include "shared/sbom/license.h"

#include <stdlib.h>
#include <string.h>

#include "shared/base/buf.h"
#include "shared/base/compiler.h"

#define MAX_DEPTH 32

/* SPDX identifiers, sorted bytewise. */
static const char *const ids[] = {
	"0BSD", "AAL", "ADSL", "AFL-1.1", "AFL-1.2", "AFL-2.0", "AFL-2.1", "AFL-3.0", "AGPL-1.0",
	"AGPL-1.0-only", "AGPL-1.0-or-later", "AGPL-3.0", "AGPL-3.0-only", "AGPL-3.0-or-later",
	"AMDPLPA", "AML", "AMPAS", "ANTLR-PD", "ANTLR-PD-fallback", "APAFML", "APL-1.0",
	"APSL-1.0", "APSL-1.1", "APSL-1.2", "APSL-2.0", "ASWF-Digital-Assets-1.0", "Abstyles",
	"Adobe-2006", "Adobe-Glyph", "Afmparse", "Aladdin", "Apache-1.0", "Apache-1.1",
	"Apache-2.0", "App-s2p", "Arphic-1999", "Artistic-1.0", "Artistic-1.0-Perl",
	"Artistic-1.0-cl8", "Artistic-2.0", "BSD-1-Clause", "BSD-2-Clause",
	"BSD-2-Clause-FreeBSD", "BSD-2-Clause-NetBSD", "BSD-2-Clause-Patent",
	"BSD-2-Clause-Views", "BSD-3-Clause", "BSD-3-Clause-Attribution", "BSD-3-Clause-Clear",
	"BSD-3-Clause-HP", "BSD-3-Clause-LBNL", "BSD-3-Clause-Modification",
	"BSD-3-Clause-No-Military-License", "BSD-3-Clause-No-Nuclear-License",
	"BSD-3-Clause-No-Nuclear-License-2014", "BSD-3-Clause-No-Nuclear-Warranty",
	"BSD-3-Clause-Open-MPI", "BSD-3-Clause-Sun", "BSD-3-Clause-flex", "BSD-4-Clause",
	"BSD-4-Clause-Shortened", "BSD-4-Clause-UC", "BSD-4.3RENO", "BSD-4.3TAHOE",
	"BSD-Protection", "BSD-Source-Code", "BSD-Systemics", "BSL-1.0", "BUSL-1.1", "Bahyph",
	"Barr", "Beerware", "BitTorrent-1.0", "BitTorrent-1.1", "Bitstream-Charter",
	"Bitstream-Vera", "BlueOak-1.0.0", "Borceux", "Brian-Gladman-3-Clause", "C-UDA-1.0",
	"CAL-1.0", "CAL-1.0-Combined-Work-Exception", "CATOSL-1.1", "CC-BY-1.0", "CC-BY-2.0",
	"CC-BY-2.5", "CC-BY-3.0", "CC-BY-3.0-US", "CC-BY-4.0", "CC-BY-NC-1.0", "CC-BY-NC-2.0",
	"CC-BY-NC-2.5", "CC-BY-NC-3.0", "CC-BY-NC-4.0", "CC-BY-NC-ND-4.0", "CC-BY-NC-SA-3.0",
	"CC-BY-NC-SA-4.0", "CC-BY-ND-3.0", "CC-BY-ND-4.0", "CC-BY-SA-1.0", "CC-BY-SA-2.0",
	"CC-BY-SA-2.5", "CC-BY-SA-3.0", "CC-BY-SA-4.0", "CC-PDDC", "CC0-1.0", "CDDL-1.0",
	"CDDL-1.1", "CDLA-Permissive-1.0", "CDLA-Permissive-2.0", "CDLA-Sharing-1.0",
	"CECILL-1.0", "CECILL-1.1", "CECILL-2.0", "CECILL-2.1", "CECILL-B", "CECILL-C",
	"CERN-OHL-1.1", "CERN-OHL-1.2", "CERN-OHL-P-2.0", "CERN-OHL-S-2.0", "CERN-OHL-W-2.0",
	"CMU-Mach", "CNRI-Jython", "CNRI-Python", "CNRI-Python-GPL-Compatible", "CPAL-1.0",
	"CPL-1.0", "CPOL-1.02", "CUA-OPL-1.0", "Caldera", "ClArtistic", "Clips", "Condor-1.1",
	"Crossword", "CrystalStacker", "Cube", "D-FSL-1.0", "DL-DE-BY-2.0", "DOC", "DRL-1.0",
	"DSDP", "Dotseqn", "ECL-1.0", "ECL-2.0", "EFL-1.0", "EFL-2.0", "EPICS", "EPL-1.0",
	"EPL-2.0", "EUDatagrid", "EUPL-1.0", "EUPL-1.1", "EUPL-1.2", "Elastic-2.0", "Entessa",
	"ErlPL-1.1", "Eurosym", "FDK-AAC", "FSFAP", "FSFUL", "FSFULLR", "FSFULLRWD", "FTL",
	"Fair", "Frameworx-1.0", "FreeBSD-DOC", "FreeImage", "GD", "GFDL-1.1", "GFDL-1.1-only",
	"GFDL-1.1-or-later", "GFDL-1.2", "GFDL-1.2-only", "GFDL-1.2-or-later", "GFDL-1.3",
	"GFDL-1.3-no-invariants-or-later", "GFDL-1.3-only", "GFDL-1.3-or-later", "GL2PS",
	"GLWTPL", "GPL-1.0", "GPL-1.0+", "GPL-1.0-only", "GPL-1.0-or-later", "GPL-2.0",
	"GPL-2.0+", "GPL-2.0-only", "GPL-2.0-or-later", "GPL-2.0-with-GCC-exception",
	"GPL-2.0-with-autoconf-exception", "GPL-2.0-with-bison-exception",
	"GPL-2.0-with-classpath-exception", "GPL-2.0-with-font-exception", "GPL-3.0", "GPL-3.0+",
	"GPL-3.0-only", "GPL-3.0-or-later", "GPL-3.0-with-GCC-exception",
	"GPL-3.0-with-autoconf-exception", "Giftware", "Glide", "Glulxe", "HPND",
	"HPND-sell-variant", "HPND-sell-variant-MIT-disclaimer", "HTMLTIDY", "Hippocratic-2.1",
	"IBM-pibs", "ICU", "IEC-Code-Components-EULA", "IJG", "IJG-short", "IPA", "IPL-1.0",
	"ISC", "ImageMagick", "Imlib2", "Info-ZIP", "Inner-Net-2.0", "Intel", "Intel-ACPI",
	"Interbase-1.0", "JPNIC", "JSON", "Jam", "JasPer-2.0", "Kastrup", "Knuth-CTAN",
	"LAL-1.2", "LAL-1.3", "LGPL-2.0", "LGPL-2.0+", "LGPL-2.0-only", "LGPL-2.0-or-later",
	"LGPL-2.1", "LGPL-2.1+", "LGPL-2.1-only", "LGPL-2.1-or-later", "LGPL-3.0", "LGPL-3.0+",
	"LGPL-3.0-only", "LGPL-3.0-or-later", "LGPLLR", "LOOP", "LPL-1.0", "LPL-1.02",
	"LPPL-1.0", "LPPL-1.1", "LPPL-1.2", "LPPL-1.3a", "LPPL-1.3c", "Latex2e", "Leptonica",
	"LiLiQ-P-1.1", "Libpng", "Linux-OpenIB", "Linux-man-pages-copyleft", "MIT", "MIT-0",
	"MIT-CMU", "MIT-Modern-Variant", "MIT-Wu", "MIT-advertising", "MIT-enna", "MIT-feh",
	"MIT-open-group", "MITNFA", "MPL-1.0", "MPL-1.1", "MPL-2.0",
	"MPL-2.0-no-copyleft-exception", "MS-LPL", "MS-PL", "MS-RL", "MTLL", "MakeIndex",
	"Minpack", "MirOS", "Motosoto", "MulanPSL-1.0", "MulanPSL-2.0", "Multics", "Mup",
	"NAIST-2003", "NASA-1.3", "NBPL-1.0", "NCSA", "NGPL", "NICTA-1.0", "NIST-PD",
	"NIST-PD-fallback", "NLOD-1.0", "NLPL", "NOSL", "NPL-1.0", "NPL-1.1", "NPOSL-3.0", "NRL",
	"NTP", "NTP-0", "Naumen", "Net-SNMP", "NetCDF", "Newsletr", "Nokia", "Noweb",
	"O-UDA-1.0", "OCCT-PL", "OCLC-2.0", "ODC-By-1.0", "ODbL-1.0", "OFFIS", "OFL-1.0",
	"OFL-1.0-RFN", "OFL-1.0-no-RFN", "OFL-1.1", "OFL-1.1-RFN", "OFL-1.1-no-RFN", "OGC-1.0",
	"OGL-UK-3.0", "OGTSL", "OLDAP-2.0.1", "OLDAP-2.7", "OLDAP-2.8", "OML", "OPL-1.0",
	"OSET-PL-2.1", "OSL-1.0", "OSL-1.1", "OSL-2.0", "OSL-2.1", "OSL-3.0", "OpenPBS-2.3",
	"OpenSSL", "PDDL-1.0", "PHP-3.0", "PHP-3.01", "PSF-2.0", "Parity-6.0.0", "Parity-7.0.0",
	"Plexus", "PolyForm-Noncommercial-1.0.0", "PolyForm-Small-Business-1.0.0", "PostgreSQL",
	"Python-2.0", "Python-2.0.1", "QPL-1.0", "Qhull", "RHeCos-1.1", "RPL-1.1", "RPL-1.5",
	"RPSL-1.0", "RSA-MD", "RSCPL", "Rdisc", "Ruby", "SAX-PD", "SCEA", "SGI-B-1.0",
	"SGI-B-1.1", "SGI-B-2.0", "SHL-0.5", "SHL-0.51", "SISSL", "SISSL-1.2", "SMLNJ", "SMPPL",
	"SNIA", "SPL-1.0", "SSH-OpenSSH", "SSH-short", "SSPL-1.0", "SWL", "Saxpath", "Sendmail",
	"Sendmail-8.23", "SimPL-2.0", "Sleepycat", "Spencer-86", "Spencer-94", "Spencer-99",
	"StandardML-NJ", "SugarCRM-1.1.3", "TAPR-OHL-1.0", "TCL", "TCP-wrappers", "TMate",
	"TORQUE-1.1", "TOSL", "TTWL", "TU-Berlin-1.0", "TU-Berlin-2.0", "UCAR", "UCL-1.0",
	"UPL-1.0", "Unicode-3.0", "Unicode-DFS-2015", "Unicode-DFS-2016", "Unicode-TOU",
	"Unlicense", "VOSTROM", "VSL-1.0", "Vim", "W3C", "W3C-19980720", "W3C-20150513", "WTFPL",
	"Watcom-1.0", "Wsuipa", "X11", "X11-distribute-modifications-variant", "XFree86-1.1",
	"XSkat", "Xerox", "Xnet", "YPL-1.0", "YPL-1.1", "ZPL-1.1", "ZPL-2.0", "ZPL-2.1", "Zed",
	"Zend-2.0", "Zimbra-1.3", "Zimbra-1.4", "Zlib", "blessing", "bzip2-1.0.5", "bzip2-1.0.6",
	"copyleft-next-0.3.0", "copyleft-next-0.3.1", "curl", "diffmark", "dvipdfm", "eCos-2.0",
	"eGenix", "etalab-2.0", "gSOAP-1.3b", "gnuplot", "iMatix", "libpng-2.0",
	"libselinux-1.0", "libtiff", "libutil-David-Nugent", "mpich2", "mplus", "psfrag",
	"psutils", "snprintf", "wxWindows", "xinetd", "xpp", "zlib-acknowledgement",
};
static const char *const exceptions[] = {
	"389-exception", "Autoconf-exception-2.0", "Autoconf-exception-3.0",
	"Autoconf-exception-generic", "Bison-exception-2.2", "Bootloader-exception",
	"CLISP-exception-2.0", "Classpath-exception-2.0", "DigiRule-FOSS-exception",
	"FLTK-exception", "Fawkes-Runtime-exception", "Font-exception-2.0", "GCC-exception-2.0",
	"GCC-exception-3.1", "GPL-3.0-linking-exception", "GPL-CC-1.0",
	"LGPL-3.0-linking-exception", "LLVM-exception", "LZMA-exception", "Libtool-exception",
	"Linux-syscall-note", "Nokia-Qt-exception-1.1", "OCCT-exception-1.0",
	"OCaml-LGPL-linking-exception", "OpenJDK-assembly-exception-1.0", "Qt-GPL-exception-1.0",
	"Qt-LGPL-exception-1.1", "Qwt-exception-1.0", "SHL-2.0", "SHL-2.1", "Swift-exception",
	"Texinfo-exception", "Universal-FOSS-exception-1.0", "WxWindows-exception-3.1",
	"eCos-exception-2.0", "freertos-exception-2.0", "gnu-javamail-exception",
	"i2p-gpl-java-exception", "mif-exception", "openvpn-openssl-exception",
	"u-boot-exception-2.0", "x11vnc-openssl-exception",
};

static int name_cmp(const void *key, const void *item)
{
	return str_cmp(*(const struct str *)key, str_of(*(const char *const *)item));
}

static bool known_id(struct str s)
{
	(void)str_chop(&s, S("+"));
	return (str_starts(s, S("LicenseRef-")) && s.n > 11) ||
		bsearch(&s, ids, countof(ids), sizeof(ids[0]), name_cmp);
}

static bool known_exception(struct str s)
{
	return bsearch(&s, exceptions, countof(exceptions), sizeof(exceptions[0]), name_cmp);
}

/* The next word, or one parenthesis. */
static bool token(struct str *rest, struct str *ret)
{
	while (rest->n && (rest->p[0] == ' ' || rest->p[0] == '\t' || rest->p[0] == '\n'))
		*rest = str_from(*rest, 1);
	if (rest->n == 0)
		return false;
	size_t n = rest->p[0] == '(' || rest->p[0] == ')';
	while (n == 0 || (n < rest->n && rest->p[0] != '(' && rest->p[0] != ')' &&
			!strchr(" \t\n()", rest->p[n])))
		n++;
	*ret = str_sub(*rest, 0, n);
	*rest = str_from(*rest, n);
	return true;
}

static bool expression(struct str *rest, unsigned depth);

static bool term(struct str *rest, unsigned depth)
{
	struct str t;
	if (!token(rest, &t) || depth > MAX_DEPTH)
		return false;
	if (str_is(t, "("))
		return expression(rest, depth + 1) && token(rest, &t) && str_is(t, ")");
	if (!known_id(t))
		return false;
	struct str after = *rest;
	if (!token(&after, &t) || !str_is(t, "WITH"))
		return true;
	*rest = after;
	return token(rest, &t) && known_exception(t);
}

static bool expression(struct str *rest, unsigned depth)
{
	for (;;) {
		struct str t, after;
		if (!term(rest, depth))
			return false;
		after = *rest;
		if (!token(&after, &t) || !(str_is(t, "AND") || str_is(t, "OR")))
			return true;
		*rest = after;
	}
}

bool license_valid(struct str expr)
{
	struct str t;
	return expression(&expr, 0) && !token(&expr, &t);
}

bool license_has_or(struct str expr)
{
	struct str t;
	while (token(&expr, &t))
		if (str_is(t, "OR"))
			return true;
	return false;
}

struct str license_ref(struct str text, struct arena *a)
{
	auto_buf struct buf b = BUF_INIT(1 << 16);
	if (str_starts(text, S("LicenseRef-")))
		return text;
	for (size_t i = 0; i < text.n; i++) {
		char c = text.p[i];
		if (c == ' ' || c == '_')
			buf_addc(&b, '-');
		else if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
			c == '.' || c == '-')
			buf_addc(&b, c);
	}
	return b.n ? arena_strf(a, "LicenseRef-%s", b.p) : STR_NONE;
}
