/* list.h - a circular doubly linked list through the records themselves: O(1), no allocation.
 * A list is a link too, the head, which belongs to no record; a link outside of any list is zero.
 * Walk: for (struct list_link *at = list->next; at != list; at = at->next). */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "base/assert.h"

struct list_link {
    struct list_link *previous, *next;
};

/* The record of a link: LIST_RECORD(at, struct sequence, id_link). */
#define LIST_RECORD(link, type, member) ((type *)(void *)((char *)(link)-offsetof(type, member)))

static inline void list_init(struct list_link *list)
{
    list->previous = list;
    list->next = list;
}

static inline bool list_is_empty(const struct list_link *list)
{
    return list->next == list;
}

static inline void list_insert(struct list_link *before, struct list_link *link)
{
    ASSERT(!link->next && !link->previous);
    *link = (struct list_link){.previous = before->previous, .next = before};
    link->previous->next = link;
    before->previous = link;
}

static inline void list_push_front(struct list_link *list, struct list_link *link)
{
    list_insert(list->next, link);
}

static inline void list_push_back(struct list_link *list, struct list_link *link)
{
    list_insert(list, link);
}

static inline void list_remove(struct list_link *link)
{
    ASSERT(link->next && link->previous);
    link->previous->next = link->next;
    link->next->previous = link->previous;
    *link = (struct list_link){0};
}

/* Moves all of from, in its order, in front of what list holds. */
static inline void list_splice_front(struct list_link *list, struct list_link *from)
{
    if (!list_is_empty(from)) {
        from->previous->next = list->next;
        list->next->previous = from->previous;
        list->next = from->next;
        from->next->previous = list;
        list_init(from);
    }
}
