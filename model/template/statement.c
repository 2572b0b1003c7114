/* statement.c - executes statements: one function a kind of node, in one table. Loops are in
 * iteration.c, macros in invocation.c. */
#include "base/assert.h"
#include "model/template/render.h"
#include "model/template/value/value_print.h"

/* ---- assignments ---------------------------------------------------------------------------- */

static void assign_tuple(struct render *render, const struct node_list *targets, struct value value)
{
    const struct list items = value_iterate(&render->work, value);
    if (items.count != targets->count) {
        work_fail(&render->work, STATUS_INVALID, "cannot unpack %zu values into %u names",
                  items.count, targets->count);
    }
    for (uint32_t i = 0; i < targets->count; i++) {
        statement_assign(render, targets->items[i], items.items[i]);
    }
}

void statement_assign(struct render *render, const struct node *target, struct value value)
{
    if (target->kind == NODE_NAME) {
        scope_set(&render->work, render->scope, target->name.id, value);
    } else if (target->kind == NODE_TUPLE) {
        assign_tuple(render, &target->list, value);
    } else {
        ASSERT(target->kind == NODE_MEMBER);
        const struct value *space = scope_find(render->scope, target->member.space.id);
        if (!space || space->kind != VALUE_NAMESPACE) {
            work_fail(&render->work, STATUS_INVALID,
                      "cannot assign an attribute of '%s': it is no namespace",
                      text_for_error(&render->work, target->member.space.text));
        }
        value_dict_set(&render->work, space->dict, target->member.name, value);
    }
}

static enum flow set(struct render *render, const struct node *node)
{
    statement_assign(render, node->set.target, expression_evaluate(render, node->set.value));
    return FLOW_ON;
}

/* ---- blocks --------------------------------------------------------------------------------- */

static enum flow execute_in(struct render *render, const struct node_list *nodes,
                            struct scope *scope)
{
    struct scope *around = render->scope;
    render->scope = scope;
    const enum flow flow = statement_execute(render, nodes);
    render->scope = around;
    return flow;
}

/* A body that is left by break or continue has written nothing. */
static enum flow capture(struct render *render, const struct node_list *nodes, struct scope *scope,
                         const struct text **out)
{
    struct writer *around = render->out;
    render->out = writer_create(&render->work);
    const enum flow flow = execute_in(render, nodes, scope);
    *out = writer_done(render->out);
    render->out = around;
    return flow;
}

const struct text *statement_capture(struct render *render, const struct node_list *nodes,
                                     struct scope *scope)
{
    const struct text *text = NULL;
    const enum flow flow = capture(render, nodes, scope, &text);
    ASSERT(flow == FLOW_ON); /* the parser lets no break out of a function's body */
    return text;
}

/* What the body wrote, through the filters of the block. */
static enum flow filtered(struct render *render, const struct node *node, struct value *out)
{
    const struct text *text = NULL;
    struct scope *scope = scope_create(&render->work, render->scope);
    const enum flow flow = capture(render, &node->block.body, scope, &text);
    *out = value_text(text);
    if (flow == FLOW_ON && node->block.value) {
        render->block_text = text;
        *out = expression_evaluate(render, node->block.value);
    }
    return flow;
}

static enum flow set_block(struct render *render, const struct node *node)
{
    struct value value;
    const enum flow flow = filtered(render, node, &value);
    if (flow == FLOW_ON) {
        statement_assign(render, node->block.target, value);
    }
    return flow;
}

static enum flow filter_block(struct render *render, const struct node *node)
{
    struct value value;
    const enum flow flow = filtered(render, node, &value);
    if (flow == FLOW_ON) {
        writer_text(render->out, value_print(&render->work, value));
    }
    return flow;
}

static enum flow with(struct render *render, const struct node *node)
{
    struct scope *around = render->scope;
    struct scope *inner = scope_create(&render->work, around);
    for (uint32_t i = 0; i < node->with.targets.count; i++) {
        render->scope = around; /* values are evaluated outside */
        const struct value value = expression_evaluate(render, node->with.values.items[i]);
        render->scope = inner;
        statement_assign(render, node->with.targets.items[i], value);
    }
    render->scope = around;
    return execute_in(render, &node->with.body, inner);
}

static enum flow scope_block(struct render *render, const struct node *node)
{
    return execute_in(render, &node->block.body, scope_create(&render->work, render->scope));
}

/* ---- the rest ------------------------------------------------------------------------------- */

static enum flow text(struct render *render, const struct node *node)
{
    writer_text(render->out, node->text);
    return FLOW_ON;
}

static enum flow output(struct render *render, const struct node *node)
{
    const struct value value = expression_evaluate(render, node->operand);
    writer_text(render->out, value_print(&render->work, value));
    return FLOW_ON;
}

static enum flow if_else(struct render *render, const struct node *node)
{
    uint32_t i = 0;
    while (i < node->branches.tests.count
           && !expression_truth(render, node->branches.tests.items[i])) {
        i++;
    }
    return statement_execute(render, &node->branches.bodies[i]);
}

static enum flow define_macro(struct render *render, const struct node *node)
{
    const struct value macro = invocation_define(render, node->macro);
    scope_set(&render->work, render->scope, node->macro->name.id, macro);
    return FLOW_ON;
}

static enum flow call_block(struct render *render, const struct node *node)
{
    const struct node_macro *definition = node->call_block.caller;
    const struct keyword caller = {definition->name.text, invocation_define(render, definition)};
    const struct value value = expression_call(render, node->call_block.call, &caller);
    writer_text(render->out, value_print(&render->work, value));
    return FLOW_ON;
}

static enum flow leave_turn(struct render *render, const struct node *node)
{
    (void)render;
    return node->kind == NODE_BREAK ? FLOW_BREAK : FLOW_CONTINUE;
}

/* ---- any ------------------------------------------------------------------------------------ */

typedef enum flow executor(struct render *render, const struct node *node);

static executor *const executors[NODE_KIND_COUNT] = {
    [NODE_TEXT] = text,
    [NODE_OUTPUT] = output,
    [NODE_IF] = if_else,
    [NODE_FOR] = iteration_execute,
    [NODE_SET] = set,
    [NODE_SET_BLOCK] = set_block,
    [NODE_MACRO] = define_macro,
    [NODE_CALL_BLOCK] = call_block,
    [NODE_FILTER_BLOCK] = filter_block,
    [NODE_WITH] = with,
    [NODE_SCOPE] = scope_block,
    [NODE_BREAK] = leave_turn,
    [NODE_CONTINUE] = leave_turn,
};

enum flow statement_execute(struct render *render, const struct node_list *nodes)
{
    enum flow flow = FLOW_ON;
    work_enter(&render->work);
    for (uint32_t i = 0; i < nodes->count && flow == FLOW_ON; i++) {
        work_step(&render->work);
        render->work.line = nodes->items[i]->line;
        flow = executors[nodes->items[i]->kind](render, nodes->items[i]);
    }
    work_leave(&render->work);
    return flow;
}
