// SPDX-License-Identifier: Apache-2.0
#include "pages.h"

#include <link.h>
#include <malloc.h>
#include <sys/mman.h>
#include <unistd.h>

// Segments that are never written have nothing but the file's content.
static int unmap_unwritten(dl_phdr_info *object, size_t, void *)
{
	const uintptr_t page = sysconf(_SC_PAGESIZE);

	for (int i = 0; i < object->dlpi_phnum; i++) {
		const ElfW(Phdr) &segment = object->dlpi_phdr[i];
		const uintptr_t start = object->dlpi_addr + segment.p_vaddr;
		const uintptr_t from = (start + page - 1) & ~(page - 1);
		const uintptr_t to = (start + segment.p_filesz) & ~(page - 1);

		if (segment.p_type == PT_LOAD && !(segment.p_flags & PF_W) && from < to)
			madvise(reinterpret_cast<void *>(from), to - from, MADV_DONTNEED);
	}
	return 0;
}

void give_back_pages()
{
	malloc_trim(0);
	dl_iterate_phdr(unmap_unwritten, nullptr);
}
