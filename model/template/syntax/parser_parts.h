/* parser_parts.h - what the files of the parser share. */
#pragma once
#include "model/template/syntax/lexer.h"
#include "model/template/syntax/parser.h"

struct parser {
    struct work *work;
    struct lexer lexer;
    struct token current, ahead;
    struct names *names;
    uint32_t loop_depth;  /* of the function that is being parsed: where break is allowed */
    struct node *unknown; /* the first filter or test that does not exist, where none guards it */
    uint32_t caller_uses, varargs_uses, kwargs_uses; /* so far, anywhere */
};

/* ---- parser.c ------------------------------------------------------------------------------- */

void parser_advance(struct parser *parser);
bool parser_is_name(const struct parser *parser, const char *name);
bool parser_skip(struct parser *parser, enum token_kind kind);
bool parser_skip_name(struct parser *parser, const char *name);
void parser_expect(struct parser *parser, enum token_kind kind, const char *what);
const struct text *parser_expect_name(struct parser *parser, const char *what);
_Noreturn void parser_fail(struct parser *parser, const char *wanted);
struct node *parser_node(struct parser *parser, enum node_kind kind);
void parser_add(struct parser *parser, struct node_list *list, struct node *node);
struct node_name parser_name(struct parser *parser, const struct text *text);

/* ---- parser_expression.c -------------------------------------------------------------------- */

struct node *parser_expression(struct parser *parser);
struct node *parser_or(struct parser *parser); /* an expression without `if` */
/* One expression, or a tuple of several without parentheses. stop: a name that ends it, or NULL. */
struct node *parser_tuple(struct parser *parser, bool takes_if, const char *stop);
struct node *parser_target(struct parser *parser, bool takes_members, const char *stop);

/* ---- parser_primary.c ----------------------------------------------------------------------- */

struct node *parser_unary(struct parser *parser, bool takes_filters);
struct node *parser_word(struct parser *parser); /* a name, or a constant like none */
struct node *parser_filter(struct parser *parser, struct node *input);  /* behind the | */
struct node *parser_filters(struct parser *parser, struct node *input); /* none or more */
