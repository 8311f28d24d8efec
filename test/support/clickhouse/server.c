// Starts the engine and the servers of ClickHouse in the npm package @chdb/lib-linux-x64-gnu.

#include <signal.h>
#include <sys/prctl.h>

void *chdb_query_cmdline(int argc, char **argv);

int main(int argc, char **argv)
{
	// A test that is killed leaves no server behind.
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	return chdb_query_cmdline(argc, argv) == 0;
}
