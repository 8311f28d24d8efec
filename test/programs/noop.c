/* SPDX-License-Identifier: Apache-2.0 */
/* The last program of each case: it does nothing, and its arguments identify it. */
int main(void)
{
	return 0;
}
