/* iteration.c - for loops and their `loop` variable. The filter of a loop (`for x in y if z`) is
 * evaluated for all items before the first turn; Jinja2 does it turn by turn, which only shows when
 * the body changes what the filter reads. */
#include "model/template/render.h"

/* ---- the loop ------------------------------------------------------------------------------- */

static struct list filter_items(struct render *render, const struct node *node, struct list items)
{
    struct scope *around = render->scope;
    struct value *kept = work_take(&render->work, items.count, sizeof *kept);
    struct list result = {.items = kept};
    struct scope *scope = scope_create(&render->work, around);
    render->scope = scope;
    for (size_t i = 0; i < items.count; i++) {
        scope->count = 0;
        statement_assign(render, node->loop.target, items.items[i]);
        if (expression_truth(render, node->loop.filter)) {
            kept[result.count++] = items.items[i];
        }
    }
    render->scope = around;
    return result;
}

/* True if a turn came to the end of its body: one that was left early does not count, so that
 * Jinja2 takes the `else` of a loop whose turns all end in continue or break. */
static bool turn_all(struct render *render, struct loop *loop)
{
    const struct node *node = loop->node;
    const struct value variable = {.kind = VALUE_LOOP, .loop = loop};
    struct scope *around = render->scope;
    struct scope *scope = scope_create(&render->work, around);
    enum flow flow = FLOW_ON;
    bool has_ended = false;
    render->scope = scope;
    for (size_t i = 0; i < loop->items.count && flow != FLOW_BREAK; i++) {
        loop->index = i;
        work_step(&render->work);
        scope->count = 0;
        scope_set(&render->work, scope, NAME_LOOP, variable);
        statement_assign(render, node->loop.target, loop->items.items[i]);
        flow = statement_execute(render, &node->loop.body);
        has_ended |= flow == FLOW_ON;
    }
    render->scope = around;
    return has_ended;
}

/* One loop over a value. What its `else` does may leave the loop around it. */
static enum flow run(struct render *render, const struct node *node, struct value sequence,
                     int64_t depth)
{
    struct loop *loop = work_take(&render->work, 1, sizeof *loop);
    *loop = (struct loop){.node = node,
                          .scope = render->scope,
                          .items = value_iterate(&render->work, sequence),
                          .depth = depth};
    if (node->loop.filter) {
        loop->items = filter_items(render, node, loop->items);
    }
    if (turn_all(render, loop)) {
        return FLOW_ON;
    }
    struct scope *around = render->scope;
    render->scope = scope_create(&render->work, around);
    const enum flow flow = statement_execute(render, &node->loop.otherwise);
    render->scope = around;
    return flow;
}

enum flow iteration_execute(struct render *render, const struct node *node)
{
    return run(render, node, expression_evaluate(render, node->loop.sequence), 0);
}

struct value iteration_call(struct render *render, struct loop *loop, const struct call *call)
{
    struct work *work = &render->work;
    if (!loop->node->loop.is_recursive) {
        work_fail(work, STATUS_INVALID, "the loop must be 'recursive' to be called");
    }
    if (call->count != 1 || call->keyword_count > 0) {
        work_fail(work, STATUS_INVALID, "loop() takes one argument");
    }
    struct scope *scope = render->scope;
    struct writer *out = render->out;
    const uint32_t line = work->line;
    render->scope = loop->scope;
    render->out = writer_create(work);
    (void)run(render, loop->node, call->arguments[0], loop->depth + 1);
    const struct text *text = writer_done(render->out);
    render->out = out;
    render->scope = scope;
    work->line = line;
    return value_text(text);
}

/* ---- the loop variable ---------------------------------------------------------------------- */

static struct value cycle(struct render *render, struct value self, const struct call *call)
{
    if (call->count == 0) {
        work_fail(&render->work, STATUS_INVALID, "no items for cycling given");
    }
    return call->arguments[self.loop->index % call->count];
}

static struct value changed(struct render *render, struct value self, const struct call *call)
{
    struct loop *loop = self.loop;
    bool is_same = loop->has_changed && loop->changed_count == call->count;
    for (size_t i = 0; i < call->count && is_same; i++) {
        is_same = value_compare_equal(&render->work, loop->changed[i], call->arguments[i]);
    }
    if (!is_same) {
        loop->has_changed = true;
        loop->changed = call->arguments;
        loop->changed_count = call->count;
    }
    return value_boolean(!is_same);
}

static struct value neighbour(struct render *render, const struct loop *loop, bool is_next)
{
    const size_t at = is_next ? loop->index + 1 : loop->index - 1; /* wraps in front of the first */
    if (at >= loop->items.count) {
        return value_undefined_hint(&render->work, is_next ? "there is no next item"
                                                           : "there is no previous item");
    }
    return loop->items.items[at];
}

struct value iteration_attribute(struct render *render, struct loop *loop, const struct text *name)
{
    static const struct builtin methods[] = {
        BUILTIN_ANY("cycle", cycle),
        BUILTIN_ANY("changed", changed),
    };
    const size_t left = loop->items.count - loop->index;
    const struct {
        const char *name;
        struct value value;
    } fields[] = {
        {"index", value_count(loop->index + 1)},
        {"index0", value_count(loop->index)},
        {"revindex", value_count(left)},
        {"revindex0", value_count(left - 1)},
        {"first", value_boolean(loop->index == 0)},
        {"last", value_boolean(left == 1)},
        {"length", value_count(loop->items.count)},
        {"depth", value_integer(loop->depth + 1)},
        {"depth0", value_integer(loop->depth)},
    };
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        if (text_is(name, fields[i].name)) {
            return fields[i].value;
        }
    }
    if (text_is(name, "nextitem") || text_is(name, "previtem")) {
        return neighbour(render, loop, name->bytes[0] == 'n');
    }
    const struct builtin *method = builtin_find(methods, sizeof methods / sizeof methods[0], name);
    if (method) {
        const struct value self = {.kind = VALUE_LOOP, .loop = loop};
        return builtin_bind(&render->work, method, self);
    }
    return (struct value){0};
}
