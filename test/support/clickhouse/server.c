// Starts the engine and the servers of ClickHouse in the npm package @chdb/lib-linux-x64-gnu.

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/socket.h>

void *chdb_query_cmdline(int argc, char **argv);

/*
 * The engine as a library ends the process when another shard resets its connection, as it does for
 * a query that was cancelled; clickhouse-server only logs it. Here, the connection counts as
 * closed.
 */
ssize_t recv(int fd, void *bytes, size_t size, int flags)
{
	ssize_t got = recvfrom(fd, bytes, size, flags, NULL, NULL);

	return got < 0 && errno == ECONNRESET ? 0 : got;
}

int main(int argc, char **argv)
{
	// A test that is killed leaves no server behind.
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	return chdb_query_cmdline(argc, argv) == 0;
}
