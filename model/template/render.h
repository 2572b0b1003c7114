/* render.h - the state of one rendering, and the evaluator's functions. Everything lives on one
 * thread's stack and in the rendering's arena; the tree is shared and never written. */
#pragma once
#include "model/template/library/builtin.h"
#include "model/template/syntax/parser.h"
#include "model/template/value/writer.h"

struct binding {
    uint32_t name;
    struct value value;
};

/* Names of one level: of a loop's turn, a call of a macro, the template itself. */
struct scope {
    struct scope *parent;
    struct binding *bindings;
    uint32_t count, capacity;
};

/* How a statement ended. */
enum flow { FLOW_ON, FLOW_BREAK, FLOW_CONTINUE };

struct macro {
    const struct node_macro *definition;
    struct scope *scope; /* where it was defined */
};

struct loop {
    const struct node *node;
    struct scope *scope; /* around the loop */
    struct list items;
    size_t index;                /* of this turn */
    int64_t depth;               /* 0: the outermost */
    const struct value *changed; /* [changed_count] what loop.changed() last saw */
    size_t changed_count;
    bool has_changed;
};

struct render {
    struct work work;
    const struct tree *tree;
    struct scope *scope;
    struct writer *out;
    const struct text *block_text; /* for the filters of a block */
    uint32_t call_depth, call_depth_max;
    int64_t now_unix_s;
};

/* ---- scope.c -------------------------------------------------------------------------------- */

struct scope *scope_create(struct work *work, struct scope *parent);
void scope_set(struct work *work, struct scope *scope, uint32_t name, struct value value);
const struct value *scope_find(const struct scope *scope, uint32_t name); /* NULL: nowhere */

/* ---- lookup.c ------------------------------------------------------------------------------- */

struct value lookup_attribute(struct render *render, struct value object, struct value name);
struct value lookup_item(struct render *render, struct value object, struct value key);
struct value lookup_slice(struct render *render, struct value object, const struct value parts[3]);

/* ---- expression.c --------------------------------------------------------------------------- */

struct value expression_evaluate(struct render *render, const struct node *node);
bool expression_truth(struct render *render, const struct node *node);
/* What a CALL node calls; extra is one more keyword argument, or NULL. */
struct value expression_call(struct render *render, const struct node *node,
                             const struct keyword *extra);

/* ---- statement.c ---------------------------------------------------------------------------- */

enum flow statement_execute(struct render *render, const struct node_list *nodes);
void statement_assign(struct render *render, const struct node *target, struct value value);
/* What a body writes, instead of writing it. scope: where its names go. */
const struct text *statement_capture(struct render *render, const struct node_list *nodes,
                                     struct scope *scope);

/* ---- iteration.c ---------------------------------------------------------------------------- */

enum flow iteration_execute(struct render *render, const struct node *node);
/* A call of `loop` in a recursive loop: the text of the inner one. */
struct value iteration_call(struct render *render, struct loop *loop, const struct call *call);
struct value iteration_attribute(struct render *render, struct loop *loop,
                                 const struct text *name); /* ABSENT: none of that name */

/* ---- invocation.c --------------------------------------------------------------------------- */

struct value invocation_define(struct render *render, const struct node_macro *definition);
struct value invocation_call(struct render *render, const struct macro *macro,
                             const struct call *call);
