// SPDX-License-Identifier: MIT
// The C interface on the in-process device.
#pragma once

#include "c/handles.hpp"
#include "fixture.hpp"
#include "in_process.hpp"

namespace atom::test {

/** A structure with its size set. */
template <class T>
T sized()
{
	T t{};
	t.size = sizeof(T);
	return t;
}

class the_c_interface : public testing::Test {
protected:
	atom_device device{core::access::wrap(core::device::open(in_process_machine(), "0"))};
	atom_context *context = nullptr;
	atom_queue *queue = nullptr;

	void SetUp() override
	{
		ASSERT_EQ(atom_context_create(&device, &context), ATOM_OK);
		ASSERT_EQ(atom_queue_create(context, nullptr, &queue), ATOM_OK);
	}
	void TearDown() override
	{
		atom_context_destroy(context);
		atom_queue_destroy(queue);
	}

	/** A command buffer with what @p add adds. */
	template <class F>
	atom_commands *commands(F &&add)
	{
		atom_builder *builder = nullptr;
		atom_commands *made = nullptr;
		EXPECT_EQ(atom_builder_create(context, &builder), ATOM_OK);
		EXPECT_EQ(add(builder), ATOM_OK) << atom_last_error();
		EXPECT_EQ(atom_builder_finish(builder, &made), ATOM_OK) << atom_last_error();
		atom_builder_destroy(builder);
		return made;
	}

	atom_buffer *buffer(std::uint64_t bytes, std::uint32_t placement = ATOM_PLACEMENT_SYSTEM)
	{
		auto options = sized<atom_buffer_options>();
		options.placement = placement;
		atom_buffer *made = nullptr;
		EXPECT_EQ(atom_buffer_create(context, bytes, &options, &made), ATOM_OK)
			<< atom_last_error();
		return made;
	}

	static float *floats(atom_buffer *b)
	{
		void *address = nullptr;
		EXPECT_EQ(atom_buffer_map(b, &address), ATOM_OK) << atom_last_error();
		return static_cast<float *>(address);
	}
};

} // namespace atom::test
