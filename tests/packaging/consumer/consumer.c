/* SPDX-License-Identifier: MIT */
/* Computes on the in-process device, through the C interface, and prints the version of the library that it runs with. */
#include <stdio.h>

#include <atom/atom.h>

static int check(int status)
{
	if (status < 0)
		fprintf(stderr, "%s\n", atom_last_error());
	return status >= 0;
}

int main(void)
{
	atom_device *device = NULL;
	atom_context *context = NULL;
	atom_buffer *memory = NULL;
	atom_builder *builder = NULL;
	atom_commands *fill = NULL;
	atom_queue *queue = NULL;
	static struct atom_operand out;
	static struct atom_submission job;
	uint32_t version = atom_runtime_version();
	void *address = NULL;
	int done;

	out.size = sizeof(out);
	out.dtype = ATOM_DTYPE_I32;
	out.rank = 1;
	out.dims[0] = 8;
	job.size = sizeof(job);
	done = check(atom_device_open(NULL, &device)) &&
	       check(atom_context_create(device, &context)) &&
	       check(atom_buffer_create(context, 4096, NULL, &memory)) &&
	       check(atom_buffer_map(memory, &address)) &&
	       check(atom_builder_create(context, &builder));
	out.where.buffer = memory;
	done = done && check(atom_builder_fill(builder, &out, 7)) &&
	       check(atom_builder_finish(builder, &fill)) &&
	       check(atom_queue_create(context, NULL, &queue));
	job.commands = fill;
	done = done && check(atom_queue_run(queue, &job, ATOM_NO_DEADLINE, NULL)) &&
	       ((const int32_t *)address)[7] == 7;
	atom_device_destroy(device);
	atom_context_destroy(context);
	atom_buffer_destroy(memory);
	atom_builder_destroy(builder);
	atom_commands_destroy(fill);
	atom_queue_destroy(queue);
	if (done)
		printf("%u.%u.%u\n", (unsigned)(version >> 16), (unsigned)(version >> 8 & 255),
		       (unsigned)(version & 255));
	return done ? 0 : 1;
}
