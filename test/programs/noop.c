/* SPDX-License-Identifier: Apache-2.0 */
/* What the cases end in: a program that does nothing, told apart by its arguments. */
int main(void)
{
	return 0;
}
