#include "kernels/gpu/host/fiber.cuh"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#if !defined(__x86_64__)
#include <ucontext.h>
#endif
#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif

namespace gpu_host
{

namespace
{

enum : size_t { STACK_BYTES = 256 * 1024, GUARD_BYTES = 4096, ENTER_BYTES = 4096 };

struct context {
    unsigned char *stack; // lowest address
    void *position;       // the saved stack pointer
    const void *bottom;   // of the stack it runs on, for the address sanitizer
    size_t bytes;
    void (*enter)();
#if !defined(__x86_64__)
    ucontext_t state;
#endif
};

context fibers[FIBER_COUNT_MAX];
context main_context;
context *entering; // where the switch under way goes to

void take_stack(context &fiber)
{
    void *memory = mmap(nullptr, GUARD_BYTES + STACK_BYTES, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED || mprotect(memory, GUARD_BYTES, PROT_NONE) != 0) {
        abort();
    }
    fiber.stack = static_cast<unsigned char *>(memory) + GUARD_BYTES;
    fiber.bottom = fiber.stack;
    fiber.bytes = STACK_BYTES;
}

// First thing on every stack that is switched to: tells the sanitizer that the switch is over.
inline void arrived()
{
#if defined(__SANITIZE_ADDRESS__)
    const void *bottom;
    size_t bytes;
    __sanitizer_finish_switch_fiber(nullptr, &bottom, &bytes);
    if (!main_context.bottom) {
        main_context.bottom = bottom;
        main_context.bytes = bytes;
    }
#endif
}

void fiber_main()
{
    arrived();
    entering->enter();
    abort();
}

} // namespace

#if defined(__x86_64__)

extern "C" void gpu_host_fiber_swap(void **save, void *load);

// Saves what the System V ABI says a callee keeps.
__asm__(".text\n"
        ".p2align 4\n"
        ".type gpu_host_fiber_swap, @function\n"
        "gpu_host_fiber_swap:\n"
        "pushq %rbp\n"
        "pushq %rbx\n"
        "pushq %r12\n"
        "pushq %r13\n"
        "pushq %r14\n"
        "pushq %r15\n"
        "movq %rsp, (%rdi)\n"
        "movq %rsi, %rsp\n"
        "popq %r15\n"
        "popq %r14\n"
        "popq %r13\n"
        "popq %r12\n"
        "popq %rbx\n"
        "popq %rbp\n"
        "ret\n"
        ".size gpu_host_fiber_swap, . - gpu_host_fiber_swap\n");

static void swap(context &from, context &to)
{
    gpu_host_fiber_swap(&from.position, to.position);
}

// Six registers, the address that `ret` goes to, and the alignment that a call would have left.
static void prepare(context &fiber, size_t offset)
{
    void **top = reinterpret_cast<void **>(fiber.stack + STACK_BYTES - offset);
    *--top = nullptr;
    *--top = reinterpret_cast<void *>(&fiber_main);
    for (int i = 0; i < 6; i++) {
        *--top = nullptr;
    }
    fiber.position = top;
}

#else

static void swap(context &from, context &to)
{
    swapcontext(&from.state, &to.state);
}

static void prepare(context &fiber, size_t offset)
{
    getcontext(&fiber.state);
    fiber.state.uc_stack.ss_sp = fiber.stack;
    fiber.state.uc_stack.ss_size = STACK_BYTES - offset;
    makecontext(&fiber.state, fiber_main, 0);
}

#endif

static void go(context &from, context &to)
{
    entering = &to;
#if defined(__SANITIZE_ADDRESS__)
    void *fake_stack;
    __sanitizer_start_switch_fiber(&fake_stack, to.bottom, to.bytes);
#endif
    swap(from, to);
    arrived();
}

void fiber_reset(uint32_t index, void (*enter)())
{
    context &fiber = fibers[index];
    if (!fiber.stack) {
        take_stack(fiber);
    }
    fiber.enter = enter;
    const size_t offset = index % 61 * 192; // not all in the same cache sets
#if defined(__SANITIZE_ADDRESS__)
    unsigned char *top = fiber.stack + STACK_BYTES - offset; // enter() was never left
    __asan_unpoison_memory_region(top - ENTER_BYTES, ENTER_BYTES);
#endif
    prepare(fiber, offset);
}

void fiber_abandon_all()
{
#if defined(__SANITIZE_ADDRESS__)
    for (context &fiber : fibers) { // their frames were never left
        if (fiber.stack) {
            __asan_unpoison_memory_region(fiber.stack, STACK_BYTES);
        }
    }
#endif
}

void fiber_switch_from_main(uint32_t to)
{
    main_context.bottom = nullptr;
    go(main_context, fibers[to]);
}

void fiber_switch(uint32_t from, uint32_t to)
{
    go(fibers[from], fibers[to]);
}

void fiber_switch_main(uint32_t from)
{
    go(fibers[from], main_context);
}

} // namespace gpu_host
