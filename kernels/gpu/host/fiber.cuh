// fiber.cuh - a call stack of its own that is switched to and from: one thread of a block. All run
// on the caller's thread. x86-64 switches by a few instructions, others by ucontext. Stacks come
// from a pool that lives as long as the process, each with a page below it that faults.
#pragma once
#include <stddef.h>
#include <stdint.h>

namespace gpu_host
{

enum : uint32_t { FIBER_COUNT_MAX = 1024 };

// Readies fiber index to run enter() when first switched to; whatever it did before is forgotten.
// enter() never returns: it ends by fiber_switch_main().
void fiber_reset(uint32_t index, void (*enter)());

// From the caller's own stack to a fiber, from a fiber to another, and back. Only
// fiber_switch_main() of the fiber that runs makes fiber_switch_from_main() return.
void fiber_switch_from_main(uint32_t to);
void fiber_switch(uint32_t from, uint32_t to);
void fiber_switch_main(uint32_t from);

// Fibers that did not come to their end will not run again.
void fiber_abandon_all();

} // namespace gpu_host
