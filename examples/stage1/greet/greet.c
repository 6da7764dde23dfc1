#include <stdio.h>
#include <sys/utsname.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	struct utsname u;
	if (uname(&u) != 0) {
		perror("uname");
		return 1;
	}
	printf("Hello, %s! This is greet " VERSION " on %s, user %u.\n",
		argc > 1 ? argv[1] : "world", u.machine, (unsigned)getuid());
	return 0;
}
