#include <string.h>

#include "model/template/render.h"

struct scope *scope_create(struct work *work, struct scope *parent)
{
    struct scope *scope = work_take(work, 1, sizeof *scope);
    *scope = (struct scope){.parent = parent};
    return scope;
}

void scope_set(struct work *work, struct scope *scope, uint32_t name, struct value value)
{
    for (uint32_t i = 0; i < scope->count; i++) {
        if (scope->bindings[i].name == name) {
            scope->bindings[i].value = value;
            return;
        }
    }
    if (scope->count == scope->capacity) {
        const uint32_t capacity = scope->capacity > 0 ? scope->capacity * 2 : 4;
        struct binding *bindings = work_take(work, capacity, sizeof *bindings);
        if (scope->count > 0) {
            memcpy(bindings, scope->bindings, scope->count * sizeof *bindings);
        }
        scope->bindings = bindings;
        scope->capacity = capacity;
    }
    scope->bindings[scope->count++] = (struct binding){name, value};
}

const struct value *scope_find(const struct scope *scope, uint32_t name)
{
    for (; scope; scope = scope->parent) {
        for (uint32_t i = 0; i < scope->count; i++) {
            if (scope->bindings[i].name == name) {
                return &scope->bindings[i].value;
            }
        }
    }
    return NULL;
}
