#include "shared/apk/arch.h"

#include <string.h>
#include <sys/utsname.h>

const struct apk_arch apk_archs[APK_ARCHS] = {
	{ .apk = "x86", .oci = "386", .os_arch = "386", .goarch = "386",
		.gnu = "i486-pc-linux-%s", .rust = "i686-unknown-linux-%s" },
	{ .apk = "x86_64", .oci = "amd64", .os_arch = "amd64", .goarch = "amd64",
		.gnu = "x86_64-pc-linux-%s", .rust = "x86_64-unknown-linux-%s" },
	{ .apk = "aarch64", .oci = "arm64", .os_arch = "arm64", .goarch = "arm64",
		.gnu = "aarch64-unknown-linux-%s", .rust = "aarch64-unknown-linux-%s" },
	{ .apk = "armhf", .oci = "arm/v6", .os_arch = "arm", .variant = "v6", .goarch = "arm",
		.gnu = "arm-unknown-linux-%seabihf", .rust = "armv6-unknown-linux-%seabihf" },
	{ .apk = "armv7", .oci = "arm/v7", .os_arch = "arm", .variant = "v7", .goarch = "arm",
		.gnu = "armv7l-unknown-linux-%seabihf", .rust = "armv7-unknown-linux-%seabihf" },
	{ .apk = "loongarch64", .oci = "loong64", .os_arch = "loong64", .goarch = "loong64",
		.gnu = "loongarch64-unknown-linux-%s", .rust = "loongarch64-unknown-linux-%s" },
	{ .apk = "ppc64le", .oci = "ppc64le", .os_arch = "ppc64le", .goarch = "ppc64le",
		.gnu = "powerpc64le-unknown-linux-%s", .rust = "powerpc64le-unknown-linux-%s" },
	{ .apk = "riscv64", .oci = "riscv64", .os_arch = "riscv64", .goarch = "riscv64",
		.gnu = "riscv64-unknown-linux-%s", .rust = "riscv64-unknown-linux-%s" },
	{ .apk = "s390x", .oci = "s390x", .os_arch = "s390x", .goarch = "s390x",
		.gnu = "s390x-ibm-linux-%s", .rust = "s390x-unknown-linux-%s" },
};

const struct apk_arch *apk_arch_find(struct str name)
{
	for (size_t i = 0; i < APK_ARCHS; i++)
		if (str_is(name, apk_archs[i].apk) || str_is(name, apk_archs[i].oci))
			return &apk_archs[i];
	return NULL;
}

/* The kernel's spellings that differ from apk's. */
static const struct {
	const char *machine, *apk;
} machines[] = {
	{ "i386", "x86" },     { "i486", "x86" },     { "i586", "x86" },     { "i686", "x86" },
	{ "arm64", "aarch64" }, { "armv6l", "armhf" }, { "armv7l", "armv7" }, { "armv8l", "armv7" },
};

const struct apk_arch *apk_arch_host(void)
{
	struct utsname u;
	if (uname(&u))
		return NULL;
	for (size_t i = 0; i < sizeof(machines) / sizeof(machines[0]); i++)
		if (!strcmp(u.machine, machines[i].machine))
			return apk_arch_find(str_of(machines[i].apk));
	return apk_arch_find(str_of(u.machine));
}
