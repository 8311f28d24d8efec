/* SPDX-License-Identifier: Apache-2.0 */
/* leap: has the kernel insert a leap second at the end of this day (UTC). */
#include <err.h>
#include <sys/timex.h>

int main(void)
{
	struct timex timex = { .modes = ADJ_STATUS, .status = STA_INS };

	if (adjtimex(&timex) < 0)
		err(1, "adjtimex");
	return 0;
}
