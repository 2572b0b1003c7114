/* parser.c - statements, and the reading of tokens that all of the parser shares. */
#include "model/template/syntax/parser.h"

#include <string.h>

#include "model/template/library/builtin.h"
#include "model/template/syntax/parser_parts.h"

/* ---- tokens --------------------------------------------------------------------------------- */

void parser_advance(struct parser *parser)
{
    parser->current = parser->ahead;
    parser->ahead = lexer_next(&parser->lexer);
    parser->work->line = parser->current.line;
}

bool parser_is_name(const struct parser *parser, const char *name)
{
    return parser->current.kind == TOKEN_NAME && text_is(parser->current.text, name);
}

bool parser_skip(struct parser *parser, enum token_kind kind)
{
    const bool skips = parser->current.kind == kind;
    if (skips) {
        parser_advance(parser);
    }
    return skips;
}

bool parser_skip_name(struct parser *parser, const char *name)
{
    const bool skips = parser_is_name(parser, name);
    if (skips) {
        parser_advance(parser);
    }
    return skips;
}

void parser_fail(struct parser *parser, const char *wanted)
{
    work_fail(parser->work, STATUS_INVALID, "expected %s, found %s", wanted,
              lexer_describe(parser->work, &parser->current));
}

void parser_expect(struct parser *parser, enum token_kind kind, const char *what)
{
    if (!parser_skip(parser, kind)) {
        parser_fail(parser, what);
    }
}

const struct text *parser_expect_name(struct parser *parser, const char *what)
{
    const struct text *name = parser->current.text;
    parser_expect(parser, TOKEN_NAME, what);
    return name;
}

struct node *parser_node(struct parser *parser, enum node_kind kind)
{
    struct node *node = work_take(parser->work, 1, sizeof *node);
    memset(node, 0, sizeof *node);
    node->kind = kind;
    node->line = parser->current.line;
    return node;
}

void parser_add(struct parser *parser, struct node_list *list, struct node *node)
{
    if (list->count == list->capacity) {
        const uint32_t capacity = list->capacity > 0 ? list->capacity * 2 : 4;
        struct node **items = work_take(parser->work, capacity, sizeof(struct node *));
        for (uint32_t i = 0; i < list->count; i++) {
            items[i] = list->items[i];
        }
        list->items = items;
        list->capacity = capacity;
    }
    list->items[list->count++] = node;
}

struct node_name parser_name(struct parser *parser, const struct text *text)
{
    return (struct node_name){names_add(parser->work, parser->names, text), text};
}

/* ---- bodies --------------------------------------------------------------------------------- */

static struct node *statement(struct parser *parser);

static bool is_one_of(const struct parser *parser, const char *const *names)
{
    for (; *names; names++) {
        if (parser_is_name(parser, *names)) {
            return true;
        }
    }
    return false;
}

/* Everything up to a tag that begins with one of ends, which becomes the current token. Without
 * ends: up to the end of the template. */
static struct node_list body(struct parser *parser, const char *const *ends)
{
    struct node_list nodes = {0};
    while (parser->current.kind != TOKEN_END) {
        struct node *node = NULL;
        if (parser->current.kind == TOKEN_TEXT) {
            node = parser_node(parser, NODE_TEXT);
            node->text = parser->current.text;
            parser_advance(parser);
        } else if (parser_skip(parser, TOKEN_OUTPUT_BEGIN)) {
            node = parser_node(parser, NODE_OUTPUT);
            node->operand = parser_tuple(parser, true, NULL);
            parser_expect(parser, TOKEN_OUTPUT_END, "'}}'");
        } else {
            parser_expect(parser, TOKEN_BLOCK_BEGIN, "'{%'");
            if (ends && is_one_of(parser, ends)) {
                return nodes;
            }
            node = statement(parser);
            parser_expect(parser, TOKEN_BLOCK_END, "'%}'");
        }
        parser_add(parser, &nodes, node);
    }
    if (ends) {
        work_fail(parser->work, STATUS_INVALID, "the template ends without {%% %s %%}", ends[0]);
    }
    return nodes;
}

/* The body of a statement, from the end of its own tag to the name of the tag that ends it. */
static struct node_list body_until(struct parser *parser, const char *const *ends)
{
    (void)parser_skip(parser, TOKEN_COLON); /* Jinja2 lets one end a tag, as in Python */
    parser_expect(parser, TOKEN_BLOCK_END, "'%}'");
    return body(parser, ends);
}

static struct node_list body_to(struct parser *parser, const char *end)
{
    const char *const ends[] = {end, NULL};
    const struct node_list nodes = body_until(parser, ends);
    parser_advance(parser);
    return nodes;
}

/* A body that becomes a function of its own: no loop around it can be left from within. */
static struct node_list function_body(struct parser *parser, const char *end)
{
    const uint32_t loop_depth = parser->loop_depth;
    parser->loop_depth = 0;
    const struct node_list nodes = body_to(parser, end);
    parser->loop_depth = loop_depth;
    return nodes;
}

/* ---- if and for ----------------------------------------------------------------------------- */

static void add_body(struct parser *parser, struct node *node, struct node_list nodes)
{
    const uint32_t count = node->branches.tests.count;
    struct node_list *bodies = work_take(parser->work, count + 2U, sizeof *bodies);
    for (uint32_t i = 0; i + 1 < count; i++) {
        bodies[i] = node->branches.bodies[i];
    }
    bodies[count - 1] = nodes;
    bodies[count] = (struct node_list){0};
    node->branches.bodies = bodies;
}

static struct node *if_statement(struct parser *parser)
{
    static const char *const ends[] = {"endif", "elif", "else", NULL};
    struct node *unknown = parser->unknown;
    struct node *node = parser_node(parser, NODE_IF);
    do {
        parser_advance(parser);
        parser_add(parser, &node->branches.tests, parser_tuple(parser, false, NULL));
        add_body(parser, node, body_until(parser, ends));
    } while (parser_is_name(parser, "elif"));
    if (parser_skip_name(parser, "else")) {
        node->branches.bodies[node->branches.tests.count] = body_to(parser, "endif");
    } else {
        parser_advance(parser);
    }
    parser->unknown = unknown; /* whatever is in here, the test guards it */
    return node;
}

static struct node *for_statement(struct parser *parser)
{
    static const char *const ends[] = {"endfor", "else", NULL};
    struct node *node = parser_node(parser, NODE_FOR);
    parser_advance(parser);
    node->loop.target = parser_target(parser, false, "in");
    if (!parser_skip_name(parser, "in")) {
        parser_fail(parser, "'in'");
    }
    node->loop.sequence = parser_tuple(parser, false, "recursive");
    if (parser_skip_name(parser, "if")) {
        node->loop.filter = parser_expression(parser);
    }
    node->loop.is_recursive = parser_skip_name(parser, "recursive");
    parser->loop_depth++;
    node->loop.body = body_until(parser, ends);
    parser->loop_depth--;
    if (parser_skip_name(parser, "else")) {
        node->loop.otherwise = body_to(parser, "endfor");
    } else {
        parser_advance(parser);
    }
    return node;
}

static struct node *leave_loop(struct parser *parser)
{
    const bool is_break = parser_is_name(parser, "break");
    struct node *node = parser_node(parser, is_break ? NODE_BREAK : NODE_CONTINUE);
    if (parser->loop_depth == 0) {
        work_fail(parser->work, STATUS_INVALID, "'%s' outside of a loop",
                  is_break ? "break" : "continue");
    }
    parser_advance(parser);
    return node;
}

/* ---- assignments ---------------------------------------------------------------------------- */

static struct node *set_statement(struct parser *parser)
{
    struct node *node = parser_node(parser, NODE_SET);
    parser_advance(parser);
    struct node *target = parser_target(parser, true, NULL);
    if (parser_skip(parser, TOKEN_ASSIGN)) {
        node->set.target = target;
        node->set.value = parser_tuple(parser, true, NULL);
        return node;
    }
    node->kind = NODE_SET_BLOCK;
    node->block.target = target;
    if (parser->current.kind == TOKEN_PIPE) {
        node->block.value = parser_filters(parser, parser_node(parser, NODE_BLOCK_TEXT));
    }
    node->block.body = body_to(parser, "endset");
    return node;
}

static struct node *filter_statement(struct parser *parser)
{
    struct node *node = parser_node(parser, NODE_FILTER_BLOCK);
    parser_advance(parser);
    struct node *first = parser_filter(parser, parser_node(parser, NODE_BLOCK_TEXT));
    node->block.value = parser_filters(parser, first);
    node->block.body = body_to(parser, "endfilter");
    return node;
}

static struct node *with_statement(struct parser *parser)
{
    struct node *node = parser_node(parser, NODE_WITH);
    parser_advance(parser);
    while (parser->current.kind != TOKEN_BLOCK_END) {
        if (node->with.targets.count > 0) {
            parser_expect(parser, TOKEN_COMMA, "','");
        }
        parser_add(parser, &node->with.targets, parser_target(parser, false, NULL));
        parser_expect(parser, TOKEN_ASSIGN, "'='");
        parser_add(parser, &node->with.values, parser_expression(parser));
    }
    node->with.body = body_to(parser, "endwith");
    return node;
}

static struct node *generation_statement(struct parser *parser)
{
    struct node *node = parser_node(parser, NODE_SCOPE);
    parser_advance(parser);
    node->block.body = function_body(parser, "endgeneration");
    return node;
}

static struct node *print_statement(struct parser *parser)
{
    struct node *node = parser_node(parser, NODE_OUTPUT);
    struct node *list = parser_node(parser, NODE_CONCAT);
    parser_advance(parser);
    node->operand = list;
    while (parser->current.kind != TOKEN_BLOCK_END) {
        if (list->list.count > 0) {
            parser_expect(parser, TOKEN_COMMA, "','");
        }
        parser_add(parser, &list->list, parser_expression(parser));
    }
    return node;
}

/* ---- macros --------------------------------------------------------------------------------- */

static void signature(struct parser *parser, struct node_macro *macro)
{
    uint32_t capacity = 0;
    parser_expect(parser, TOKEN_PARENTHESIS_OPEN, "'('");
    while (parser->current.kind != TOKEN_PARENTHESIS_CLOSE) {
        const uint32_t count = macro->parameter_count;
        if (count == capacity) {
            capacity = capacity * 2 + 4;
            struct node_name *names = work_take(parser->work, capacity, sizeof *names);
            struct node **defaults = work_take(parser->work, capacity, sizeof(struct node *));
            for (uint32_t i = 0; i < count; i++) {
                names[i] = macro->parameters[i];
                defaults[i] = macro->defaults[i];
            }
            macro->parameters = names;
            macro->defaults = defaults;
        }
        const struct text *name = parser_expect_name(parser, "the name of a parameter");
        macro->parameters[count] = parser_name(parser, name);
        macro->defaults[count] = NULL;
        if (parser_skip(parser, TOKEN_ASSIGN)) {
            macro->defaults[count] = parser_expression(parser);
        } else if (count > 0 && macro->defaults[count - 1]) {
            parser_fail(parser, "a default");
        }
        macro->parameter_count++;
        if (parser->current.kind != TOKEN_PARENTHESIS_CLOSE) {
            parser_expect(parser, TOKEN_COMMA, "',' or ')'");
        }
    }
    parser_advance(parser);
}

static void macro_body(struct parser *parser, struct node_macro *macro, const char *end)
{
    const uint32_t caller_uses = parser->caller_uses;
    const uint32_t varargs_uses = parser->varargs_uses;
    const uint32_t kwargs_uses = parser->kwargs_uses;
    macro->body = function_body(parser, end);
    macro->uses_caller = parser->caller_uses > caller_uses;
    macro->uses_varargs = parser->varargs_uses > varargs_uses;
    macro->uses_kwargs = parser->kwargs_uses > kwargs_uses;
}

static struct node_macro *make_macro(struct parser *parser)
{
    struct node_macro *macro = work_take(parser->work, 1, sizeof *macro);
    memset(macro, 0, sizeof *macro);
    return macro;
}

static struct node *macro_statement(struct parser *parser)
{
    struct node *node = parser_node(parser, NODE_MACRO);
    parser_advance(parser);
    node->macro = make_macro(parser);
    node->macro->name = parser_name(parser, parser_expect_name(parser, "the name of the macro"));
    signature(parser, node->macro);
    macro_body(parser, node->macro, "endmacro");
    return node;
}

static struct node *call_statement(struct parser *parser)
{
    struct node *node = parser_node(parser, NODE_CALL_BLOCK);
    struct node_macro *caller = make_macro(parser);
    parser_advance(parser);
    caller->name = parser_name(parser, text_literal(parser->work, "caller"));
    if (parser->current.kind == TOKEN_PARENTHESIS_OPEN) {
        signature(parser, caller);
    }
    node->call_block.caller = caller;
    node->call_block.call = parser_expression(parser);
    if (node->call_block.call->kind != NODE_CALL) {
        parser_fail(parser, "a call in front of it");
    }
    macro_body(parser, caller, "endcall");
    return node;
}

/* ---- any statement -------------------------------------------------------------------------- */

static struct node *statement(struct parser *parser)
{
    static const struct {
        const char *name;
        struct node *(*parse)(struct parser *parser); /* NULL: a part of Jinja2 that is not here */
    } statements[] = {
        {"if", if_statement},       {"for", for_statement},
        {"set", set_statement},     {"macro", macro_statement},
        {"call", call_statement},   {"filter", filter_statement},
        {"with", with_statement},   {"generation", generation_statement},
        {"break", leave_loop},      {"continue", leave_loop},
        {"print", print_statement}, {"include", NULL},
        {"import", NULL},           {"from", NULL},
        {"extends", NULL},          {"block", NULL},
        {"autoescape", NULL},
    };
    for (size_t i = 0; i < sizeof statements / sizeof statements[0]; i++) {
        if (!parser_is_name(parser, statements[i].name)) {
            continue;
        }
        if (!statements[i].parse) {
            work_fail(parser->work, STATUS_UNSUPPORTED, "the tag '%s' is not supported",
                      statements[i].name);
        }
        work_enter(parser->work);
        struct node *node = statements[i].parse(parser);
        work_leave(parser->work);
        return node;
    }
    work_fail(parser->work, STATUS_INVALID, "unknown tag '%s'",
              lexer_describe(parser->work, &parser->current));
}

static _Noreturn void fail_unknown(struct work *work, const struct node *node)
{
    const bool is_filter = node->kind == NODE_FILTER;
    work->line = node->line;
    if (is_filter && filter_is_left_out(node->apply.name)) {
        work_fail(work, STATUS_UNSUPPORTED, "the filter '%s' is not supported",
                  text_for_error(work, node->apply.name));
    }
    work_fail(work, STATUS_INVALID, "there is no %s named '%s'", is_filter ? "filter" : "test",
              text_for_error(work, node->apply.name));
}

void parser_run(struct work *work, const char *source, size_t length, struct tree *out)
{
    struct parser *parser = work_take(work, 1, sizeof *parser);
    memset(parser, 0, sizeof *parser);
    parser->work = work;
    parser->names = names_create(work);
    lexer_start(&parser->lexer, work, source, length);
    parser->ahead = lexer_next(&parser->lexer);
    parser_advance(parser);
    out->body = body(parser, NULL);
    out->names = parser->names;
    if (parser->unknown) {
        fail_unknown(work, parser->unknown);
    }
}
