/* node.h - the syntax tree of a template: immutable once parsed, in the arena of the template, and
 * shared by the renderings of all threads. */
#pragma once
#include "model/template/value/arithmetic.h"

struct builtin;
struct node;

/* clang-format off */
enum node_kind {
    /* expressions; BLOCK_TEXT is what the body of {% filter %} or {% set x | f %} wrote */
    NODE_CONSTANT, NODE_BLOCK_TEXT, NODE_NAME, NODE_LIST, NODE_TUPLE, NODE_DICT, NODE_ATTRIBUTE,
    NODE_ITEM, NODE_SLICE, NODE_CALL, NODE_FILTER, NODE_TEST, NODE_NOT, NODE_NEGATE, NODE_PLUS,
    NODE_ARITHMETIC, NODE_CONCAT, NODE_COMPARE, NODE_AND, NODE_OR, NODE_CONDITION,
    /* statements; SCOPE is {% generation %} */
    NODE_TEXT, NODE_OUTPUT, NODE_IF, NODE_FOR, NODE_SET, NODE_SET_BLOCK, NODE_MACRO,
    NODE_CALL_BLOCK, NODE_FILTER_BLOCK, NODE_WITH, NODE_SCOPE, NODE_BREAK, NODE_CONTINUE,
    /* a target of an assignment, as are NAME and TUPLE: the member of a namespace */
    NODE_MEMBER,
    NODE_KIND_COUNT
};

enum comparison {
    COMPARISON_EQUAL, COMPARISON_UNEQUAL, COMPARISON_LESS, COMPARISON_LESS_EQUAL,
    COMPARISON_GREATER, COMPARISON_GREATER_EQUAL, COMPARISON_IN, COMPARISON_NOT_IN,
};
/* clang-format on */

struct node_list {
    struct node **items;
    uint32_t count, capacity;
};

struct node_keyword {
    const struct text *name;
    struct node *value;
};

struct node_arguments {
    struct node_list positional;
    struct node_keyword *keywords;
    uint32_t keyword_count, keyword_capacity;
    struct node *more, *more_keywords; /* *args and **kwargs, or NULL */
};

struct node_name {
    uint32_t id; /* equal names have equal ids within a template */
    const struct text *text;
};

/* MACRO and CALL_BLOCK: a body that is called. */
struct node_macro {
    struct node_name name;
    struct node_name *parameters;
    struct node **defaults; /* NULL: none */
    uint32_t parameter_count;
    bool uses_caller, uses_varargs, uses_kwargs;
    struct node_list body;
};

struct node {
    enum node_kind kind;
    uint32_t line;
    union {
        struct value constant;   /* CONSTANT */
        const struct text *text; /* TEXT */
        struct node_name name;   /* NAME */
        struct node_list list;   /* LIST, TUPLE, CONCAT; DICT: key, value, key, value ... */
        struct {
            struct node *object;
            struct value name; /* a string */
        } attribute;
        struct {
            struct node *object, *key;
        } item;
        struct {
            struct node *object, *start, *stop, *step; /* the last three may be NULL */
        } slice;
        struct {
            struct node *callee;
            struct node_arguments arguments;
        } call;
        struct { /* FILTER, TEST */
            struct node *input;
            const struct builtin *builtin; /* NULL: there is none, which fails where it is used */
            const struct text *name;
            struct node_arguments arguments;
        } apply;
        struct node *operand; /* NOT, NEGATE, PLUS, OUTPUT */
        struct {              /* ARITHMETIC, AND, OR */
            struct node *left, *right;
            enum arithmetic operation;
        } binary;
        struct {
            struct node_list operands; /* one more than comparisons */
            enum comparison *comparisons;
        } compare;
        struct {
            struct node *test, *then, *otherwise; /* otherwise may be NULL */
        } condition;
        struct {
            struct node_list tests;   /* of if and each elif */
            struct node_list *bodies; /* one a test, and one more for else */
        } branches;
        struct {
            struct node *target, *sequence, *filter; /* filter may be NULL */
            struct node_list body, otherwise;
            bool is_recursive;
        } loop;
        struct {
            struct node *target, *value;
        } set;
        struct { /* SET_BLOCK (value is NULL without a filter), FILTER_BLOCK (no target), SCOPE */
            struct node *target, *value;
            struct node_list body;
        } block;
        struct node_macro *macro; /* MACRO */
        struct {
            struct node *call; /* a CALL */
            struct node_macro *caller;
        } call_block;
        struct {
            struct node_list targets, values;
            struct node_list body;
        } with;
        struct {
            struct node_name space;
            struct value name; /* a string */
        } member;
    };
};
