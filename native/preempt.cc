// SPDX-License-Identifier: Apache-2.0
#include "preempt.h"

#include "../bpf/events.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <cstdio>
#include <map>
#include <memory>
#include <sys/utsname.h>

static const std::map<int32_t, const char *> FUNCTIONS = {
    {CALL_PREEMPT_DISABLE, "bpf_preempt_disable"},
    {CALL_PREEMPT_ENABLE, "bpf_preempt_enable"},
    {CALL_IRQ_SAVE, "bpf_local_irq_save"},
    {CALL_IRQ_RESTORE, "bpf_local_irq_restore"},
};

// For kernels from 7.0 on. Kernels from 6.14 on have these functions as well but do not need the
// calls.
static bool preempts_programs()
{
	struct utsname kernel = {};
	unsigned major = 0;

	uname(&kernel);
	return sscanf(kernel.release, "%u.", &major) == 1 && major >= 7;
}

bool write_preempt_calls(bpf_object *object)
{
	if (!preempts_programs())
		return false;
	const std::unique_ptr<btf, decltype(&btf__free)> kernel(btf__load_vmlinux_btf(), btf__free);
	std::map<int32_t, int32_t> ids;
	bpf_program *program;

	for (const auto &[call, function] : FUNCTIONS) {
		ids[call] =
		    kernel ? btf__find_by_name_kind(kernel.get(), function, BTF_KIND_FUNC) : 0;
		if (ids[call] <= 0)
			return false; // the kernel will skip some programs, and counts that
	}
	bpf_object__for_each_program (program, object) {
		auto *insn = const_cast<bpf_insn *>(bpf_program__insns(program));
		const bpf_insn *end = insn + bpf_program__insn_cnt(program);

		for (; insn < end; insn++) {
			if (insn->code != (BPF_JMP | BPF_CALL) || insn->src_reg ||
			    !ids.count(insn->imm))
				continue;
			insn->src_reg = BPF_PSEUDO_KFUNC_CALL;
			insn->imm = ids[insn->imm];
		}
	}
	return true;
}
