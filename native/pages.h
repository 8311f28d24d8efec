// SPDX-License-Identifier: Apache-2.0
// What the process has in memory and needs no more.
#pragma once

// Gives back what only the start needed: free memory of the heap, and the pages of the program and
// its libraries, which the kernel's page cache still has. A page that is used again is mapped
// again, without a read as long as it is cached.
void give_back_pages();
