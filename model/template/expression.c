/* expression.c - evaluates expressions: one function a kind of node, in one table. */
#include "model/template/library/format.h"
#include "model/template/render.h"
#include "model/template/value/value_print.h"

/* ---- names and literals --------------------------------------------------------------------- */

static struct value constant(struct render *render, const struct node *node)
{
    (void)render;
    return node->constant;
}

static struct value block_text(struct render *render, const struct node *node)
{
    (void)node;
    return value_text(render->block_text);
}

static struct value name(struct render *render, const struct node *node)
{
    const struct value *found = scope_find(render->scope, node->name.id);
    if (found) {
        return *found;
    }
    const struct builtin *global = global_find(node->name.text);
    if (global) {
        return builtin_bind(&render->work, global, (struct value){0});
    }
    return value_undefined_name(&render->work, node->name.text);
}

static struct value *evaluate_all(struct render *render, const struct node_list *nodes)
{
    struct value *values = work_take(&render->work, nodes->count, sizeof *values);
    for (uint32_t i = 0; i < nodes->count; i++) {
        values[i] = expression_evaluate(render, nodes->items[i]);
    }
    return values;
}

static struct value list(struct render *render, const struct node *node)
{
    const enum value_kind kind = node->kind == NODE_LIST ? VALUE_LIST : VALUE_TUPLE;
    return value_list(&render->work, kind, evaluate_all(render, &node->list), node->list.count);
}

static struct value dict(struct render *render, const struct node *node)
{
    struct value made = value_dict(&render->work, VALUE_DICT, node->list.count / 2);
    for (uint32_t i = 0; i < node->list.count; i += 2) {
        const struct value key = expression_evaluate(render, node->list.items[i]);
        const struct value value = expression_evaluate(render, node->list.items[i + 1]);
        value_dict_set(&render->work, made.dict, key, value);
    }
    return made;
}

/* ---- lookups -------------------------------------------------------------------------------- */

static struct value attribute(struct render *render, const struct node *node)
{
    const struct value object = expression_evaluate(render, node->attribute.object);
    return lookup_attribute(render, object, node->attribute.name);
}

static struct value item(struct render *render, const struct node *node)
{
    const struct value object = expression_evaluate(render, node->item.object);
    return lookup_item(render, object, expression_evaluate(render, node->item.key));
}

static struct value slice(struct render *render, const struct node *node)
{
    const struct value object = expression_evaluate(render, node->slice.object);
    const struct node *const nodes[3] = {node->slice.start, node->slice.stop, node->slice.step};
    struct value parts[3] = {{0}};
    for (size_t i = 0; i < 3; i++) {
        if (nodes[i]) {
            parts[i] = expression_evaluate(render, nodes[i]);
        }
    }
    return lookup_slice(render, object, parts);
}

/* ---- calls ---------------------------------------------------------------------------------- */

static void add_positional(struct render *render, struct call *call, struct value more)
{
    const struct list items = value_iterate(&render->work, more);
    const size_t count = call->count + items.count;
    struct value *arguments = work_take(&render->work, count, sizeof *arguments);
    for (size_t i = 0; i < count; i++) {
        arguments[i] = i < call->count ? call->arguments[i] : items.items[i - call->count];
    }
    call->arguments = arguments;
    call->count = count;
}

static struct call arguments_of(struct render *render, const struct node_arguments *arguments,
                                const struct keyword *extra)
{
    struct work *work = &render->work;
    struct call call = {.arguments = evaluate_all(render, &arguments->positional),
                        .count = arguments->positional.count};
    if (arguments->more) {
        add_positional(render, &call, expression_evaluate(render, arguments->more));
    }
    struct value more = {0};
    size_t count = arguments->keyword_count + (extra ? 1U : 0U);
    if (arguments->more_keywords) {
        more = expression_evaluate(render, arguments->more_keywords);
        if (more.kind != VALUE_DICT) {
            work_fail(work, STATUS_INVALID, "what is behind ** must be a mapping, not %s",
                      value_type(more));
        }
        count += more.dict->count;
    }
    struct keyword *keywords = work_take(work, count, sizeof *keywords);
    for (uint32_t i = 0; i < arguments->keyword_count; i++) {
        const struct node_keyword *keyword = &arguments->keywords[i];
        keywords[call.keyword_count++] =
            (struct keyword){keyword->name, expression_evaluate(render, keyword->value)};
    }
    for (size_t i = 0; more.kind == VALUE_DICT && i < more.dict->count; i++) {
        const struct entry *entry = &more.dict->entries[i];
        if (entry->key.kind != VALUE_STRING) {
            work_fail(work, STATUS_INVALID, "keywords must be strings");
        }
        keywords[call.keyword_count++] = (struct keyword){entry->key.text, entry->value};
    }
    if (extra) {
        keywords[call.keyword_count++] = *extra;
    }
    call.keywords = keywords;
    return call;
}

struct value expression_call(struct render *render, const struct node *node,
                             const struct keyword *extra)
{
    const struct value callee = expression_evaluate(render, node->call.callee);
    const struct call call = arguments_of(render, &node->call.arguments, extra);
    render->work.line = node->line;
    if (callee.kind == VALUE_FUNCTION) {
        return builtin_call(render, callee.function->builtin, callee.function->self, &call);
    }
    if (callee.kind == VALUE_MACRO) {
        return invocation_call(render, callee.macro, &call);
    }
    if (callee.kind == VALUE_LOOP) {
        return iteration_call(render, callee.loop, &call);
    }
    if (callee.kind == VALUE_UNDEFINED) {
        value_fail_undefined(&render->work, callee);
    }
    work_fail(&render->work, STATUS_INVALID, "'%s' object is not callable", value_type(callee));
}

static struct value call_node(struct render *render, const struct node *node)
{
    return expression_call(render, node, NULL);
}

static struct value apply(struct render *render, const struct node *node)
{
    if (!node->apply.builtin) {
        work_fail(&render->work, STATUS_INVALID, "there is no %s named '%s'",
                  node->kind == NODE_FILTER ? "filter" : "test",
                  text_for_error(&render->work, node->apply.name));
    }
    const struct value input = expression_evaluate(render, node->apply.input);
    const struct call call = arguments_of(render, &node->apply.arguments, NULL);
    render->work.line = node->line;
    return builtin_call(render, node->apply.builtin, input, &call);
}

/* ---- operators ------------------------------------------------------------------------------ */

static struct value not(struct render * render, const struct node *node)
{
    return value_boolean(!expression_truth(render, node->operand));
}

static struct value negate(struct render *render, const struct node *node)
{
    return arithmetic_negate(&render->work, expression_evaluate(render, node->operand));
}

static struct value plus(struct render *render, const struct node *node)
{
    return arithmetic_plus(&render->work, expression_evaluate(render, node->operand));
}

static struct value arithmetic(struct render *render, const struct node *node)
{
    const struct value left = expression_evaluate(render, node->binary.left);
    const struct value right = expression_evaluate(render, node->binary.right);
    if (node->binary.operation == ARITHMETIC_MODULO && left.kind == VALUE_STRING) {
        return value_text(format_percent(&render->work, left.text, right));
    }
    return arithmetic_apply(&render->work, node->binary.operation, left, right);
}

static struct value concat(struct render *render, const struct node *node)
{
    struct writer *writer = writer_create(&render->work);
    for (uint32_t i = 0; i < node->list.count; i++) {
        const struct value value = expression_evaluate(render, node->list.items[i]);
        writer_text(writer, value_print(&render->work, value));
    }
    return value_text(writer_done(writer));
}

static bool holds(struct work *work, enum comparison comparison, struct value left,
                  struct value right)
{
    switch (comparison) {
    case COMPARISON_EQUAL:
        return value_compare_equal(work, left, right);
    case COMPARISON_UNEQUAL:
        return !value_compare_equal(work, left, right);
    case COMPARISON_LESS:
        return value_compare_order(work, left, right, "<") < 0;
    case COMPARISON_LESS_EQUAL:
        return value_compare_order(work, left, right, "<=") <= 0;
    case COMPARISON_GREATER:
        return value_compare_order(work, left, right, ">") > 0;
    case COMPARISON_GREATER_EQUAL:
        return value_compare_order(work, left, right, ">=") >= 0;
    case COMPARISON_IN:
        return value_compare_contains(work, right, left);
    case COMPARISON_NOT_IN:
        break;
    }
    return !value_compare_contains(work, right, left);
}

/* a < b < c: each operand is evaluated once, and none behind the first that fails. */
static struct value compare(struct render *render, const struct node *node)
{
    struct node **operands = node->compare.operands.items;
    struct value left = expression_evaluate(render, operands[0]);
    for (uint32_t i = 1; i < node->compare.operands.count; i++) {
        const struct value right = expression_evaluate(render, operands[i]);
        if (!holds(&render->work, node->compare.comparisons[i - 1], left, right)) {
            return value_boolean(false);
        }
        left = right;
    }
    return value_boolean(true);
}

/* `and` and `or` give the operand that decided, as in Python. */
static struct value and (struct render * render, const struct node *node)
{
    const struct value left = expression_evaluate(render, node->binary.left);
    return value_truth(left) ? expression_evaluate(render, node->binary.right) : left;
}

static struct value or (struct render * render, const struct node *node)
{
    const struct value left = expression_evaluate(render, node->binary.left);
    return value_truth(left) ? left : expression_evaluate(render, node->binary.right);
}

static struct value condition(struct render *render, const struct node *node)
{
    if (expression_truth(render, node->condition.test)) {
        return expression_evaluate(render, node->condition.then);
    }
    if (node->condition.otherwise) {
        return expression_evaluate(render, node->condition.otherwise);
    }
    return value_undefined_hint(&render->work, "the inline if is false and has no else");
}

/* ---- any ------------------------------------------------------------------------------------ */

typedef struct value evaluator(struct render *render, const struct node *node);

static evaluator *const evaluators[NODE_TEXT] = {
    [NODE_CONSTANT] = constant,
    [NODE_BLOCK_TEXT] = block_text,
    [NODE_NAME] = name,
    [NODE_LIST] = list,
    [NODE_TUPLE] = list,
    [NODE_DICT] = dict,
    [NODE_ATTRIBUTE] = attribute,
    [NODE_ITEM] = item,
    [NODE_SLICE] = slice,
    [NODE_CALL] = call_node,
    [NODE_FILTER] = apply,
    [NODE_TEST] = apply,
    [NODE_NOT] = not,
    [NODE_NEGATE] = negate,
    [NODE_PLUS] = plus,
    [NODE_ARITHMETIC] = arithmetic,
    [NODE_CONCAT] = concat,
    [NODE_COMPARE] = compare,
    [NODE_AND] = and,
    [NODE_OR] = or,
    [NODE_CONDITION] = condition,
};

struct value expression_evaluate(struct render *render, const struct node *node)
{
    work_step(&render->work);
    work_enter(&render->work);
    const struct value value = evaluators[node->kind](render, node);
    work_leave(&render->work);
    return value;
}

bool expression_truth(struct render *render, const struct node *node)
{
    return value_truth(expression_evaluate(render, node));
}
