/* parser_primary.c - names, literals, and what may stand behind them: calls, subscripts, filters
 * and tests. */
#include "model/template/library/builtin.h"
#include "model/template/syntax/parser_parts.h"
#include "model/template/value/writer.h"

/* ---- arguments ------------------------------------------------------------------------------ */

static void add_keyword(struct parser *parser, struct node_arguments *arguments,
                        const struct text *name, struct node *value)
{
    if (arguments->keyword_count == arguments->keyword_capacity) {
        const uint32_t capacity = arguments->keyword_capacity * 2 + 4;
        struct node_keyword *keywords = work_take(parser->work, capacity, sizeof *keywords);
        for (uint32_t i = 0; i < arguments->keyword_count; i++) {
            keywords[i] = arguments->keywords[i];
        }
        arguments->keywords = keywords;
        arguments->keyword_capacity = capacity;
    }
    arguments->keywords[arguments->keyword_count++] = (struct node_keyword){name, value};
}

static void one_argument(struct parser *parser, struct node_arguments *arguments)
{
    if (parser_skip(parser, TOKEN_MULTIPLY)) {
        if (arguments->more || arguments->more_keywords) {
            parser_fail(parser, "one *arguments");
        }
        arguments->more = parser_expression(parser);
    } else if (parser_skip(parser, TOKEN_POWER)) {
        if (arguments->more_keywords) {
            parser_fail(parser, "one **arguments");
        }
        arguments->more_keywords = parser_expression(parser);
    } else if (parser->current.kind == TOKEN_NAME && parser->ahead.kind == TOKEN_ASSIGN) {
        const struct text *name = parser->current.text;
        if (arguments->more_keywords) {
            parser_fail(parser, "nothing behind **arguments");
        }
        parser_advance(parser);
        parser_advance(parser);
        add_keyword(parser, arguments, name, parser_expression(parser));
    } else {
        if (arguments->more || arguments->more_keywords || arguments->keyword_count > 0) {
            parser_fail(parser, "name=value behind name=value");
        }
        parser_add(parser, &arguments->positional, parser_expression(parser));
    }
}

static struct node_arguments arguments_of(struct parser *parser)
{
    struct node_arguments arguments = {0};
    parser_expect(parser, TOKEN_PARENTHESIS_OPEN, "'('");
    while (parser->current.kind != TOKEN_PARENTHESIS_CLOSE) {
        one_argument(parser, &arguments);
        if (parser->current.kind != TOKEN_PARENTHESIS_CLOSE) {
            parser_expect(parser, TOKEN_COMMA, "',' or ')'");
        }
    }
    parser_advance(parser);
    return arguments;
}

/* ---- literals ------------------------------------------------------------------------------- */

static struct node *constant(struct parser *parser, struct value value)
{
    struct node *node = parser_node(parser, NODE_CONSTANT);
    node->constant = value;
    parser_advance(parser);
    return node;
}

struct node *parser_word(struct parser *parser)
{
    static const struct {
        const char *word;
        struct value value;
    } words[] = {
        {"true", {.kind = VALUE_BOOLEAN, .boolean = true}},
        {"True", {.kind = VALUE_BOOLEAN, .boolean = true}},
        {"false", {.kind = VALUE_BOOLEAN, .boolean = false}},
        {"False", {.kind = VALUE_BOOLEAN, .boolean = false}},
        {"none", {.kind = VALUE_NONE}},
        {"None", {.kind = VALUE_NONE}},
    };
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (parser_is_name(parser, words[i].word)) {
            return constant(parser, words[i].value);
        }
    }
    struct node *node = parser_node(parser, NODE_NAME);
    node->name = parser_name(parser, parser->current.text);
    parser->caller_uses += node->name.id == NAME_CALLER;
    parser->varargs_uses += node->name.id == NAME_VARARGS;
    parser->kwargs_uses += node->name.id == NAME_KWARGS;
    parser_advance(parser);
    return node;
}

/* Strings side by side are one. */
static struct node *strings(struct parser *parser)
{
    const struct text *first = parser->current.text;
    struct node *node = constant(parser, value_text(first));
    if (parser->current.kind == TOKEN_STRING) {
        struct writer *writer = writer_create(parser->work);
        writer_text(writer, first);
        while (parser->current.kind == TOKEN_STRING) {
            writer_text(writer, parser->current.text);
            parser_advance(parser);
        }
        struct text *joined = writer_done(writer);
        joined->writer = NULL; /* a constant is shared by renderings: it must not grow */
        node->constant = value_text(joined);
    }
    return node;
}

static struct node *list_literal(struct parser *parser)
{
    struct node *node = parser_node(parser, NODE_LIST);
    parser_advance(parser);
    while (parser->current.kind != TOKEN_BRACKET_CLOSE) {
        parser_add(parser, &node->list, parser_expression(parser));
        if (parser->current.kind != TOKEN_BRACKET_CLOSE) {
            parser_expect(parser, TOKEN_COMMA, "',' or ']'");
        }
    }
    parser_advance(parser);
    return node;
}

static struct node *dict_literal(struct parser *parser)
{
    struct node *node = parser_node(parser, NODE_DICT);
    parser_advance(parser);
    while (parser->current.kind != TOKEN_BRACE_CLOSE) {
        parser_add(parser, &node->list, parser_expression(parser));
        parser_expect(parser, TOKEN_COLON, "':'");
        parser_add(parser, &node->list, parser_expression(parser));
        if (parser->current.kind != TOKEN_BRACE_CLOSE) {
            parser_expect(parser, TOKEN_COMMA, "',' or '}'");
        }
    }
    parser_advance(parser);
    return node;
}

static struct node *parenthesised(struct parser *parser)
{
    struct node *node = NULL;
    const uint32_t line = parser->current.line;
    parser_advance(parser);
    if (parser->current.kind == TOKEN_PARENTHESIS_CLOSE) {
        node = parser_node(parser, NODE_TUPLE);
        node->line = line;
    } else {
        node = parser_tuple(parser, true, NULL);
    }
    parser_expect(parser, TOKEN_PARENTHESIS_CLOSE, "')'");
    return node;
}

static struct node *primary(struct parser *parser)
{
    const struct token *token = &parser->current;
    switch ((int)token->kind) {
    case TOKEN_NAME:
        return parser_word(parser);
    case TOKEN_STRING:
        return strings(parser);
    case TOKEN_INTEGER:
        return constant(parser, value_integer(token->integer));
    case TOKEN_FLOAT:
        return constant(parser, value_float(token->real));
    case TOKEN_PARENTHESIS_OPEN:
        return parenthesised(parser);
    case TOKEN_BRACKET_OPEN:
        return list_literal(parser);
    case TOKEN_BRACE_OPEN:
        return dict_literal(parser);
    default:
        parser_fail(parser, "an expression");
    }
}

/* ---- behind a primary ----------------------------------------------------------------------- */

static bool ends_subscript(const struct parser *parser)
{
    return parser->current.kind == TOKEN_BRACKET_CLOSE || parser->current.kind == TOKEN_COMMA;
}

/* What is between [ and ]: a key, or start:stop:step. */
static struct node *subscript(struct parser *parser, struct node *object)
{
    struct node *start = NULL;
    struct node *node = parser_node(parser, NODE_ITEM);
    if (parser->current.kind != TOKEN_COLON) {
        start = parser_tuple(parser, true, NULL);
    }
    if (!parser_skip(parser, TOKEN_COLON)) {
        node->item.object = object;
        node->item.key = start;
        return node;
    }
    node->kind = NODE_SLICE;
    node->slice.object = object;
    node->slice.start = start;
    if (parser->current.kind != TOKEN_COLON && !ends_subscript(parser)) {
        node->slice.stop = parser_expression(parser);
    }
    if (parser_skip(parser, TOKEN_COLON) && !ends_subscript(parser)) {
        node->slice.step = parser_expression(parser);
    }
    return node;
}

static struct node *attribute(struct parser *parser, struct node *object)
{
    struct node *node = parser_node(parser, NODE_ATTRIBUTE);
    if (parser->current.kind == TOKEN_INTEGER) {
        node->kind = NODE_ITEM;
        node->item.object = object;
        node->item.key = constant(parser, value_integer(parser->current.integer));
        return node;
    }
    node->attribute.object = object;
    node->attribute.name = value_text(parser_expect_name(parser, "a name or a number"));
    return node;
}

static struct node *call(struct parser *parser, struct node *callee)
{
    struct node *node = parser_node(parser, NODE_CALL);
    node->call.callee = callee;
    node->call.arguments = arguments_of(parser);
    return node;
}

static struct node *postfix(struct parser *parser, struct node *node)
{
    for (;;) {
        if (parser_skip(parser, TOKEN_DOT)) {
            node = attribute(parser, node);
        } else if (parser_skip(parser, TOKEN_BRACKET_OPEN)) {
            node = subscript(parser, node);
            parser_expect(parser, TOKEN_BRACKET_CLOSE, "']'");
        } else if (parser->current.kind == TOKEN_PARENTHESIS_OPEN) {
            node = call(parser, node);
        } else {
            return node;
        }
    }
}

/* ---- filters and tests ---------------------------------------------------------------------- */

/* A filter or test that nobody has is an error, unless a condition around it guards it. */
static void resolve(struct parser *parser, struct node *node)
{
    const bool is_filter = node->kind == NODE_FILTER;
    const struct text *name = node->apply.name;
    node->apply.builtin = is_filter ? filter_find(name) : test_find(name);
    if (!node->apply.builtin && !parser->unknown) {
        parser->unknown = node;
    }
}

struct node *parser_filter(struct parser *parser, struct node *input)
{
    struct node *node = parser_node(parser, NODE_FILTER);
    node->apply.input = input;
    node->apply.name = parser_expect_name(parser, "the name of a filter");
    resolve(parser, node);
    if (parser->current.kind == TOKEN_PARENTHESIS_OPEN) {
        node->apply.arguments = arguments_of(parser);
    }
    return node;
}

struct node *parser_filters(struct parser *parser, struct node *input)
{
    while (parser_skip(parser, TOKEN_PIPE)) {
        input = parser_filter(parser, input);
    }
    return input;
}

/* A test may have one argument without parentheses: `x is divisibleby 3`. */
static bool begins_argument(const struct parser *parser)
{
    switch ((int)parser->current.kind) {
    case TOKEN_NAME:
        return !parser_is_name(parser, "else") && !parser_is_name(parser, "or")
               && !parser_is_name(parser, "and");
    case TOKEN_STRING:
    case TOKEN_INTEGER:
    case TOKEN_FLOAT:
    case TOKEN_PARENTHESIS_OPEN:
    case TOKEN_BRACKET_OPEN:
    case TOKEN_BRACE_OPEN:
        return true;
    default:
        return false;
    }
}

static struct node *test(struct parser *parser, struct node *input)
{
    const bool is_negated = parser_skip_name(parser, "not");
    struct node *node = parser_node(parser, NODE_TEST);
    node->apply.input = input;
    node->apply.name = parser_expect_name(parser, "the name of a test");
    resolve(parser, node);
    if (parser->current.kind == TOKEN_PARENTHESIS_OPEN) {
        node->apply.arguments = arguments_of(parser);
    } else if (begins_argument(parser)) {
        if (parser_is_name(parser, "is")) {
            parser_fail(parser, "one test");
        }
        parser_add(parser, &node->apply.arguments.positional, postfix(parser, primary(parser)));
    }
    if (!is_negated) {
        return node;
    }
    struct node *negated = parser_node(parser, NODE_NOT);
    negated->operand = node;
    return negated;
}

static struct node *filters_and_tests(struct parser *parser, struct node *node)
{
    for (;;) {
        if (parser_skip(parser, TOKEN_PIPE)) {
            node = parser_filter(parser, node);
        } else if (parser_skip_name(parser, "is")) {
            node = test(parser, node);
        } else if (parser->current.kind == TOKEN_PARENTHESIS_OPEN) {
            node = call(parser, node);
        } else {
            return node;
        }
    }
}

/* ---- signs ----------------------------------------------------------------------------------- */

static struct node *sign(struct parser *parser, enum node_kind kind)
{
    struct node *node = parser_node(parser, kind);
    work_enter(parser->work);
    parser_advance(parser);
    node->operand = parser_unary(parser, false);
    work_leave(parser->work);
    return node;
}

struct node *parser_unary(struct parser *parser, bool takes_filters)
{
    struct node *node = NULL;
    if (parser->current.kind == TOKEN_MINUS) {
        node = sign(parser, NODE_NEGATE);
    } else if (parser->current.kind == TOKEN_PLUS) {
        node = sign(parser, NODE_PLUS);
    } else {
        node = primary(parser);
    }
    node = postfix(parser, node);
    return takes_filters ? filters_and_tests(parser, node) : node;
}
