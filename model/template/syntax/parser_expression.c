/* parser_expression.c - expressions, loosest first: if, or, and, not, comparisons, + -, ~, * / //
 * %,
 * **, unary, then filters, tests, calls and subscripts behind a primary. Unlike Python, ~ binds
 * tighter than +, a sign tighter than **, and ** groups to the left: so does Jinja2. */
#include "model/template/syntax/parser_parts.h"

/* ---- operators ------------------------------------------------------------------------------ */

static struct node *binary(struct parser *parser, enum node_kind kind, struct node *left)
{
    struct node *node = parser_node(parser, kind);
    node->binary.left = left;
    parser_advance(parser);
    return node;
}

static struct node *power(struct parser *parser)
{
    struct node *left = parser_unary(parser, true);
    while (parser->current.kind == TOKEN_POWER) {
        left = binary(parser, NODE_ARITHMETIC, left);
        left->binary.operation = ARITHMETIC_POWER;
        left->binary.right = parser_unary(parser, true);
    }
    return left;
}

static bool find_arithmetic(enum token_kind kind, bool is_product, enum arithmetic *out)
{
    static const struct {
        enum token_kind kind;
        bool is_product;
        enum arithmetic operation;
    } operations[] = {
        {TOKEN_PLUS, false, ARITHMETIC_ADD},
        {TOKEN_MINUS, false, ARITHMETIC_SUBTRACT},
        {TOKEN_MULTIPLY, true, ARITHMETIC_MULTIPLY},
        {TOKEN_DIVIDE, true, ARITHMETIC_DIVIDE},
        {TOKEN_FLOOR_DIVIDE, true, ARITHMETIC_FLOOR_DIVIDE},
        {TOKEN_MODULO, true, ARITHMETIC_MODULO},
    };
    for (size_t i = 0; i < sizeof operations / sizeof operations[0]; i++) {
        if (operations[i].kind == kind && operations[i].is_product == is_product) {
            *out = operations[i].operation;
            return true;
        }
    }
    return false;
}

static struct node *product(struct parser *parser)
{
    struct node *left = power(parser);
    enum arithmetic operation;
    while (find_arithmetic(parser->current.kind, true, &operation)) {
        left = binary(parser, NODE_ARITHMETIC, left);
        left->binary.operation = operation;
        left->binary.right = power(parser);
    }
    return left;
}

static struct node *concat(struct parser *parser)
{
    struct node *first = product(parser);
    if (parser->current.kind != TOKEN_TILDE) {
        return first;
    }
    struct node *node = parser_node(parser, NODE_CONCAT);
    parser_add(parser, &node->list, first);
    while (parser_skip(parser, TOKEN_TILDE)) {
        parser_add(parser, &node->list, product(parser));
    }
    return node;
}

static struct node *sum(struct parser *parser)
{
    struct node *left = concat(parser);
    enum arithmetic operation;
    while (find_arithmetic(parser->current.kind, false, &operation)) {
        left = binary(parser, NODE_ARITHMETIC, left);
        left->binary.operation = operation;
        left->binary.right = concat(parser);
    }
    return left;
}

static bool take_comparison(struct parser *parser, enum comparison *out)
{
    static const struct {
        enum token_kind kind;
        enum comparison comparison;
    } comparisons[] = {
        {TOKEN_EQUAL, COMPARISON_EQUAL},     {TOKEN_UNEQUAL, COMPARISON_UNEQUAL},
        {TOKEN_LESS, COMPARISON_LESS},       {TOKEN_LESS_EQUAL, COMPARISON_LESS_EQUAL},
        {TOKEN_GREATER, COMPARISON_GREATER}, {TOKEN_GREATER_EQUAL, COMPARISON_GREATER_EQUAL},
    };
    for (size_t i = 0; i < sizeof comparisons / sizeof comparisons[0]; i++) {
        if (parser_skip(parser, comparisons[i].kind)) {
            *out = comparisons[i].comparison;
            return true;
        }
    }
    if (parser_skip_name(parser, "in")) {
        *out = COMPARISON_IN;
        return true;
    }
    const bool is_not_in = parser_is_name(parser, "not") && parser->ahead.kind == TOKEN_NAME
                           && text_is(parser->ahead.text, "in");
    if (is_not_in) {
        parser_advance(parser);
        parser_advance(parser);
        *out = COMPARISON_NOT_IN;
    }
    return is_not_in;
}

static struct node *compare(struct parser *parser)
{
    struct node *first = sum(parser);
    enum comparison comparison;
    if (!take_comparison(parser, &comparison)) {
        return first;
    }
    struct node *node = parser_node(parser, NODE_COMPARE);
    uint32_t count = 0;
    uint32_t capacity = 0;
    parser_add(parser, &node->compare.operands, first);
    do {
        if (count == capacity) {
            enum comparison *more = work_take(parser->work, capacity * 2 + 2, sizeof *more);
            for (uint32_t i = 0; i < count; i++) {
                more[i] = node->compare.comparisons[i];
            }
            node->compare.comparisons = more;
            capacity = capacity * 2 + 2;
        }
        node->compare.comparisons[count++] = comparison;
        parser_add(parser, &node->compare.operands, sum(parser));
    } while (take_comparison(parser, &comparison));
    return node;
}

static struct node *negation(struct parser *parser)
{
    if (!parser_is_name(parser, "not")) {
        return compare(parser);
    }
    struct node *node = parser_node(parser, NODE_NOT);
    work_enter(parser->work);
    parser_advance(parser);
    node->operand = negation(parser);
    work_leave(parser->work);
    return node;
}

static struct node *conjunction(struct parser *parser)
{
    struct node *left = negation(parser);
    while (parser_is_name(parser, "and")) {
        left = binary(parser, NODE_AND, left);
        left->binary.right = negation(parser);
    }
    return left;
}

struct node *parser_or(struct parser *parser)
{
    struct node *left = conjunction(parser);
    while (parser_is_name(parser, "or")) {
        left = binary(parser, NODE_OR, left);
        left->binary.right = conjunction(parser);
    }
    return left;
}

struct node *parser_expression(struct parser *parser)
{
    struct node *unknown = parser->unknown;
    work_enter(parser->work);
    struct node *node = parser_or(parser);
    while (parser_skip_name(parser, "if")) {
        struct node *condition = parser_node(parser, NODE_CONDITION);
        condition->condition.then = node;
        condition->condition.test = parser_or(parser);
        if (parser_skip_name(parser, "else")) {
            condition->condition.otherwise = parser_expression(parser);
        }
        node = condition;
        parser->unknown = unknown; /* `x | f if ...` only needs f if the test says so */
    }
    work_leave(parser->work);
    return node;
}

/* ---- tuples and targets --------------------------------------------------------------------- */

static bool ends_tuple(const struct parser *parser, const char *stop)
{
    return parser->current.kind == TOKEN_OUTPUT_END || parser->current.kind == TOKEN_BLOCK_END
           || parser->current.kind == TOKEN_PARENTHESIS_CLOSE
           || parser->current.kind == TOKEN_BRACKET_CLOSE || (stop && parser_is_name(parser, stop));
}

struct node *parser_tuple(struct parser *parser, bool takes_if, const char *stop)
{
    struct node *first = takes_if ? parser_expression(parser) : parser_or(parser);
    if (parser->current.kind != TOKEN_COMMA) {
        return first;
    }
    struct node *node = parser_node(parser, NODE_TUPLE);
    parser_add(parser, &node->list, first);
    while (parser_skip(parser, TOKEN_COMMA) && !ends_tuple(parser, stop)) {
        parser_add(parser, &node->list, takes_if ? parser_expression(parser) : parser_or(parser));
    }
    return node;
}

static struct node *member_target(struct parser *parser)
{
    struct node *node = parser_node(parser, NODE_MEMBER);
    node->member.space = parser_name(parser, parser->current.text);
    parser_advance(parser);
    parser_advance(parser);
    node->member.name = value_text(parser_expect_name(parser, "a name"));
    return node;
}

static struct node *one_target(struct parser *parser, bool takes_members)
{
    struct node *node = NULL;
    if (parser_skip(parser, TOKEN_PARENTHESIS_OPEN)) {
        work_enter(parser->work);
        node = parser_target(parser, false, NULL);
        work_leave(parser->work);
        parser_expect(parser, TOKEN_PARENTHESIS_CLOSE, "')'");
        return node;
    }
    if (parser->current.kind != TOKEN_NAME) {
        parser_fail(parser, "a name to assign to");
    }
    if (takes_members && parser->ahead.kind == TOKEN_DOT) {
        return member_target(parser);
    }
    node = parser_word(parser);
    if (node->kind != NODE_NAME) {
        work_fail(parser->work, STATUS_INVALID, "a constant cannot be assigned to");
    }
    return node;
}

struct node *parser_target(struct parser *parser, bool takes_members, const char *stop)
{
    struct node *first = one_target(parser, takes_members);
    if (parser->current.kind != TOKEN_COMMA) {
        return first;
    }
    struct node *node = parser_node(parser, NODE_TUPLE);
    parser_add(parser, &node->list, first);
    while (parser_skip(parser, TOKEN_COMMA) && !ends_tuple(parser, stop)
           && parser->current.kind != TOKEN_ASSIGN) {
        parser_add(parser, &node->list, one_target(parser, takes_members));
    }
    return node;
}
