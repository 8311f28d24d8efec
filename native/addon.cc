// SPDX-License-Identifier: Apache-2.0
// The class that JavaScript sees; agent/source/hook.ts has its types.
#include "error.h"
#include "hash_parts.h"
#include "kernel_side.h"
#include "ring.h"

#include <ctime>
#include <malloc.h>
#include <memory>
#include <napi.h>
#include <sys/prctl.h>
#include <uv.h>

// Bytes that are drained at once; at least one of the longest events fits.
static const size_t BUFFER_BYTES = 1 << 20;

class Hook : public Napi::ObjectWrap<Hook> {
public:
	static Napi::Object init(Napi::Env env, Napi::Object exports)
	{
		exports.Set("Hook",
			    DefineClass(env, "Hook",
					{
					    InstanceMethod<&Hook::arm>("arm"),
					    InstanceMethod<&Hook::disarm>("disarm"),
					    InstanceMethod<&Hook::drain>("drain"),
					    InstanceMethod<&Hook::commit>("commit"),
					    InstanceMethod<&Hook::touch>("touch"),
					    InstanceMethod<&Hook::positions>("positions"),
					    InstanceMethod<&Hook::sleep>("sleep"),
					    InstanceMethod<&Hook::cpu_states>("cpuStates"),
					    InstanceMethod<&Hook::causes>("causes"),
					    InstanceMethod<&Hook::cgroup>("cgroup"),
					    InstanceMethod<&Hook::statistics>("statistics"),
					    InstanceMethod<&Hook::restore_pins>("restorePins"),
					    InstanceMethod<&Hook::release_memory>("releaseMemory"),
					    InstanceMethod<&Hook::close>("close"),
					    InstanceMethod<&Hook::detach>("detach"),
					    StaticMethod<&Hook::remove>("remove"),
					}));
		return exports;
	}

	explicit Hook(const Napi::CallbackInfo &info) : Napi::ObjectWrap<Hook>(info)
	{
		const Napi::Object options = info[0].As<Napi::Object>();

		guard(info, [&] {
			HookOptions hook;

			hook.object_path = options.Get("objectPath").ToString();
			hook.pin_dir = options.Get("pinDir").ToString();
			hook.holder = options.Get("holder").ToString();
			hook.ring_bytes = options.Get("ringBytes").ToNumber().Int64Value();
			hook.table_entries = options.Get("tableEntries").ToNumber().Uint32Value();
			hook.args_bytes = options.Get("argsBytes").ToNumber().Uint32Value();
			hook.quiet_after_ns =
			    options.Get("quietAfterMs").ToNumber().Int64Value() * 1000000ll;
			hook.environment = options.Get("environment").ToNumber().Uint32Value();
			hook.mount_bpffs = options.Get("mountBpffs").ToBoolean();
			hook.attach = options.Get("attach").ToBoolean();
			side_ = std::make_unique<KernelSide>(hook);
			ring_ = std::make_unique<Ring>(side_->ring_fd(), side_->ring_bytes());

			auto buffer = Napi::Buffer<uint8_t>::New(info.Env(), BUFFER_BYTES);
			buffer_ = Napi::Persistent(buffer);
			Napi::Object self = info.This().As<Napi::Object>();
			static const char *const states[] = {"attached", "resumed", "upgraded"};
			self.Set("buffer", buffer);
			auto clock = Napi::Float64Array::New(info.Env(), 5);
			clock_ = Napi::Persistent(clock);
			self.Set("clock", clock);
			self.Set("state", states[static_cast<int>(side_->state())]);
			self.Set("missingPrograms", names(info, side_->missing()));
			self.Set("cpuCount", side_->cpu_count());
			self.Set("readMisses", side_->control_page()->read_misses);
			return info.Env().Undefined();
		});
	}

	~Hook() override { release(); }

private:
	// Turns a C++ exception into a JavaScript Error with its code.
	template <typename Body> static Napi::Value guard(const Napi::CallbackInfo &info, Body body)
	{
		try {
			return body();
		} catch (const HookError &error) {
			Napi::Error crossing = Napi::Error::New(info.Env(), error.what());
			crossing.Set("code", Napi::String::New(info.Env(), error.code));
			throw crossing;
		}
	}

	KernelSide &side(const Napi::CallbackInfo &info)
	{
		if (!side_)
			throw Napi::Error::New(info.Env(), "the hook is closed");
		return *side_;
	}

	Napi::Value arm(const Napi::CallbackInfo &info)
	{
		side(info).arm();
		return Napi::BigInt::New(info.Env(), uint64_t{side(info).control_page()->armed_at});
	}

	Napi::Value disarm(const Napi::CallbackInfo &info)
	{
		side(info).disarm();
		return info.Env().Undefined();
	}

	// touch(): shows that the reader is alive although it does not read now; sets `clock` like
	// drain(). Does nothing once the hook is closed. The boot clock is read on both sides of
	// the wall clock: a reader that is preempted between them would take the pause for a step
	// of the wall clock.
	Napi::Value touch(const Napi::CallbackInfo &info)
	{
		if (!side_)
			return info.Env().Undefined();
		control *page = side_->control_page();
		struct timespec boot, wall, after;

		clock_gettime(CLOCK_BOOTTIME, &boot);
		clock_gettime(CLOCK_REALTIME, &wall);
		clock_gettime(CLOCK_BOOTTIME, &after);
		const double apart = static_cast<double>(after.tv_sec - boot.tv_sec) * 1e9 +
				     static_cast<double>(after.tv_nsec - boot.tv_nsec);
		const double clock[] = {
		    static_cast<double>(boot.tv_sec), static_cast<double>(boot.tv_nsec),
		    static_cast<double>(wall.tv_sec), static_cast<double>(wall.tv_nsec), apart};
		memcpy(clock_.Value().Data(), clock, sizeof(clock));
		__atomic_store_n(&page->seen_at, boot.tv_sec * 1000000000ull + boot.tv_nsec,
				 __ATOMIC_RELAXED);
		return info.Env().Undefined();
	}

	// positions(): the positions up to which events were drained and the kernel has written, in
	// bytes.
	Napi::Value positions(const Napi::CallbackInfo &info)
	{
		side(info);
		Napi::Array both = Napi::Array::New(info.Env(), 2);

		both.Set(0u, static_cast<double>(ring_->read_position()));
		both.Set(1u, static_cast<double>(ring_->producer_position()));
		return both;
	}

	// drain(): copies new events into `buffer` and the time on both clocks into `clock`;
	// returns the number of bytes.
	Napi::Value drain(const Napi::CallbackInfo &info)
	{
		control *page = side(info).control_page();

		touch(info);
		const size_t bytes = ring_->drain(buffer_.Value().Data(), BUFFER_BYTES);
		__atomic_store_n(&page->wake_at, ring_->read_position() + ring_->bytes() / 4,
				 __ATOMIC_SEQ_CST);
		return Napi::Number::New(info.Env(), bytes);
	}

	// commit(next, misses): releases what was drained, because it is on disk; next is a
	// Float64Array of the next expected number of each CPU, and misses the number of execs that
	// the kernel skipped.
	Napi::Value commit(const Napi::CallbackInfo &info)
	{
		const auto next = info[0].As<Napi::Float64Array>();

		for (uint32_t cpu = 0; cpu < side(info).cpu_count() && cpu < next.ElementLength();
		     cpu++)
			side_->cpu_states()[cpu].read_seq = static_cast<uint64_t>(next[cpu]) - 1;
		side_->control_page()->read_misses = info[1].ToNumber().Uint32Value();
		ring_->commit(ring_->read_position());
		return info.Env().Undefined();
	}

	// sleep(callback): returns true and calls the callback once, when there is something to
	// drain; returns false if there is already.
	Napi::Value sleep(const Napi::CallbackInfo &info)
	{
		control *page = side(info).control_page();

		if (ring_->consumer_position() != ring_->read_position())
			return Napi::Boolean::New(info.Env(), false); // not on disk yet; stay awake
		__atomic_store_n(&page->asleep, 1, __ATOMIC_SEQ_CST);
		if (ring_->producer_position() != ring_->read_position()) {
			__atomic_store_n(&page->asleep, 0, __ATOMIC_SEQ_CST);
			return Napi::Boolean::New(info.Env(), false);
		}
		callback_ = Napi::Persistent(info[0].As<Napi::Function>());
		if (!poll_) {
			uv_loop_t *loop;

			napi_get_uv_event_loop(info.Env(), &loop);
			poll_ = new uv_poll_t;
			poll_->data = this;
			uv_poll_init(loop, poll_, side_->ring_fd());
		}
		uv_poll_start(poll_, UV_READABLE, [](uv_poll_t *poll, int, int) {
			static_cast<Hook *>(poll->data)->woken();
		});
		return Napi::Boolean::New(info.Env(), true);
	}

	void woken()
	{
		const Napi::HandleScope scope(Env());

		uv_poll_stop(poll_);
		__atomic_store_n(&side_->control_page()->asleep, 0, __ATOMIC_SEQ_CST);
		callback_.MakeCallback(Env().Global(), {});
	}

	// cpuStates(): a copy of the kernel side's counters, one `struct cpu_state` per CPU.
	Napi::Value cpu_states(const Napi::CallbackInfo &info)
	{
		return Napi::Buffer<uint8_t>::Copy(
		    info.Env(), reinterpret_cast<uint8_t *>(side(info).cpu_states()),
		    sizeof(cpu_state) * side(info).cpu_count());
	}

	// causes(): CPU and number of each record in the table of causes, as one Float64Array;
	// undefined: they could not be read at one moment.
	Napi::Value causes(const Napi::CallbackInfo &info)
	{
		std::vector<cause> found;

		if (!side(info).read_causes(&found))
			return info.Env().Undefined();
		auto pairs = Napi::Float64Array::New(info.Env(), 2 * found.size());
		for (size_t n = 0; n < found.size(); n++) {
			pairs[2 * n] = found[n].cpu;
			pairs[2 * n + 1] = static_cast<double>(found[n].seq);
		}
		return pairs;
	}

	// cgroup(hierarchy, id): the id of its parent, its name and its maker from the kernel
	// side's table; undefined: the table does not have it.
	Napi::Value cgroup(const Napi::CallbackInfo &info)
	{
		bool lossless;
		cgroup_key key = {};
		cgroup_name name;

		key.hierarchy = info[0].ToNumber().Uint32Value();
		key.id = info[1].As<Napi::BigInt>().Uint64Value(&lossless);
		if (!side(info).find_cgroup(key, &name))
			return info.Env().Undefined();
		Napi::Object found = Napi::Object::New(info.Env());
		const size_t last = sizeof(name.name) - 1;
		const size_t length = strnlen(reinterpret_cast<char *>(name.name), last);
		found.Set("parent", Napi::BigInt::New(info.Env(), name.parent));
		found.Set("name", Napi::Buffer<uint8_t>::Copy(info.Env(), name.name, length));
		// No runtime gives a name that leaves no room for its maker.
		found.Set("maker", static_cast<uint32_t>(length < last ? name.name[last]
								       : uint8_t(MAKER_OTHER)));
		return found;
	}

	Napi::Value statistics(const Napi::CallbackInfo &info)
	{
		const Napi::Env env = info.Env();
		Napi::Object result = Napi::Object::New(env);
		Napi::Array programs = Napi::Array::New(env);
		uint64_t left = 0, untracked = 0;

		for (uint32_t cpu = 0; cpu < side(info).cpu_count(); cpu++) {
			left += side_->cpu_states()[cpu].left;
			untracked += side_->cpu_states()[cpu].untracked;
		}
		for (const ProgramStatistics &program : side_->programs()) {
			Napi::Object one = Napi::Object::New(env);

			one.Set("name", program.name);
			one.Set("runCount", static_cast<double>(program.run_count));
			one.Set("runTimeNs", static_cast<double>(program.run_time_ns));
			one.Set("recursionMisses", static_cast<double>(program.recursion_misses));
			programs.Set(programs.Length(), one);
		}
		result.Set("ringBytes", static_cast<double>(ring_->bytes()));
		result.Set("usedBytes", static_cast<double>(ring_->producer_position() -
							    ring_->consumer_position()));
		result.Set("tableMax", side_->table_entries());
		result.Set("tableEntries", static_cast<double>(side_->entered() - left));
		result.Set("untracked", static_cast<double>(untracked));
		result.Set("programs", programs);
		return result;
	}

	// restorePins(): pins again what others have unpinned, and returns its names.
	Napi::Value restore_pins(const Napi::CallbackInfo &info)
	{
		return guard(info, [&] { return names(info, side(info).restore_pins()); });
	}

	// releaseMemory(): gives the memory that the process has freed back to the kernel. By
	// itself, malloc does so only at the end of the heap, where anything that lives long keeps
	// all that is free below it.
	Napi::Value release_memory(const Napi::CallbackInfo &info)
	{
		malloc_trim(0);
		return info.Env().Undefined();
	}

	// close(): the hook stays in the kernel and keeps recording.
	Napi::Value close(const Napi::CallbackInfo &info)
	{
		release();
		return info.Env().Undefined();
	}

	static Napi::Value names(const Napi::CallbackInfo &info,
				 const std::vector<std::string> &all)
	{
		Napi::Array names = Napi::Array::New(info.Env());

		for (const std::string &name : all)
			names.Set(names.Length(), name);
		return names;
	}

	// detach(): removes everything from the kernel and returns the names of what it removed.
	Napi::Value detach(const Napi::CallbackInfo &info)
	{
		return guard(info, [&] {
			const std::vector<std::string> removed = side(info).detach();

			release();
			return names(info, removed);
		});
	}

	// Hook.remove(pinDir): the same, without reading anything first.
	static Napi::Value remove(const Napi::CallbackInfo &info)
	{
		return guard(info,
			     [&] { return names(info, KernelSide::remove(info[0].ToString())); });
	}

	void release()
	{
		if (poll_) {
			uv_poll_stop(poll_);
			uv_close(reinterpret_cast<uv_handle_t *>(poll_), [](uv_handle_t *handle) {
				delete reinterpret_cast<uv_poll_t *>(handle);
			});
			poll_ = nullptr;
		}
		callback_.Reset();
		ring_.reset();
		side_.reset();
	}

	std::unique_ptr<KernelSide> side_;
	std::unique_ptr<Ring> ring_;
	Napi::Reference<Napi::Buffer<uint8_t>> buffer_;
	Napi::Reference<Napi::Float64Array> clock_;
	Napi::FunctionReference callback_;
	uv_poll_t *poll_ = nullptr;
};

static Napi::Object init(Napi::Env env, Napi::Object exports)
{
	// This process's memory holds arguments of other processes: it makes no core dump, and only
	// processes with CAP_SYS_PTRACE may read it.
	prctl(PR_SET_DUMPABLE, 0);
	init_hash_parts(env, exports);
	return Hook::init(env, exports);
}

NODE_API_MODULE(vcml_hook, init)
