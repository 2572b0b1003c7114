/* builtin.h - filters, tests, methods and global functions are rows of tables: a name, parameters
 * and a handler. builtin_call() puts arguments in the order of the parameters, as Python does. */
#pragma once
#include "model/template/value/value.h"

struct render;

struct keyword {
    const struct text *name;
    struct value value;
};

struct call {
    const struct value *arguments; /* [count]; in a handler: one a parameter, ABSENT if not given */
    size_t count;
    const struct keyword *keywords; /* in a handler: only when the row takes any number */
    size_t keyword_count;
};

/* self is what a filter, test or method works on. */
typedef struct value builtin_handler(struct render *render, struct value self,
                                     const struct call *call);

enum { BUILTIN_PARAMETERS_MAX = 5 };

struct builtin {
    const char *name;
    builtin_handler *handler;                       /* NULL: known, and refused by the sandbox */
    bool takes_any;                                 /* the call arrives as it was written */
    uint8_t required;                               /* of the parameters, the first so many */
    const char *parameters[BUILTIN_PARAMETERS_MAX]; /* up to the first NULL */
};

/* Rows of tables: parameters end with NULL; the first `required` of them must be given. */
#define BUILTIN(name, handler, required, ...) \
    {                                         \
        name, handler, false, required,       \
        {                                     \
            __VA_ARGS__                       \
        }                                     \
    }
#define BUILTIN_ANY(name, handler) \
    {                              \
        name, handler, true, 0,    \
        {                          \
            NULL                   \
        }                          \
    }

/* A method bound to its value, or a global function. */
struct function {
    const struct builtin *builtin;
    struct value self;
};

const struct builtin *builtin_find(const struct builtin *table, size_t count,
                                   const struct text *name);
struct value builtin_call(struct render *render, const struct builtin *builtin, struct value self,
                          const struct call *call);
struct value builtin_bind(struct work *work, const struct builtin *builtin, struct value self);

/* ---- arguments of a handler ----------------------------------------------------------------- */

bool builtin_has(const struct call *call, size_t index); /* given, and not None */
bool builtin_flag(const struct call *call, size_t index);
int64_t builtin_integer(struct work *work, const struct call *call, size_t index, int64_t preset);
/* A string as it is; STATUS_INVALID for any other value. NULL when absent or None. */
const struct text *builtin_text(struct work *work, const struct call *call, size_t index);

/* ---- the tables ----------------------------------------------------------------------------- */

const struct builtin *filter_find(const struct text *name); /* NULL: none */
bool filter_is_left_out(const struct text *name);           /* Jinja2 has it, we do not */
const struct builtin *test_find(const struct text *name);
const struct builtin *global_find(const struct text *name);
const struct builtin *method_find(struct value owner, const struct text *name);
