// What a pod's sandbox runs: it waits, reaps what is left to it, and ends when it is told to.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static void stop(int signal)
{
	(void)signal;
	_exit(0);
}

static void reap(int signal)
{
	(void)signal;
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
}

int main(void)
{
	signal(SIGINT, stop);
	signal(SIGTERM, stop);
	signal(SIGCHLD, reap);
	for (;;)
		pause();
}
