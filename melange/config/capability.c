#include "melange/config/capability.h"

#include <string.h>
#include <strings.h>

#include "shared/base/compiler.h"

bool capability_known(struct str name)
{
	static const char *const known[] = {
		"chown", "dac_override", "dac_read_search", "fowner", "fsetid", "kill", "setgid",
		"setuid", "setpcap", "linux_immutable", "net_bind_service", "net_broadcast",
		"net_admin", "net_raw", "ipc_lock", "ipc_owner", "sys_module", "sys_rawio",
		"sys_chroot", "sys_ptrace", "sys_pacct", "sys_admin", "sys_boot", "sys_nice",
		"sys_resource", "sys_time", "sys_tty_config", "mknod", "lease", "audit_write",
		"audit_control", "setfcap", "mac_override", "mac_admin", "syslog", "wake_alarm",
		"block_suspend", "audit_read", "perfmon", "bpf", "checkpoint_restore",
	};
	if (name.n > 4 && strncasecmp(name.p, "cap_", 4) == 0)
		name = str_from(name, 4);
	for (size_t i = 0; i < countof(known); i++)
		if (name.n == strlen(known[i]) && strncasecmp(name.p, known[i], name.n) == 0)
			return true;
	return false;
}
