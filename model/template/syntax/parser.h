/* parser.h - template source to a tree, with Jinja2's grammar. */
#pragma once
#include "model/template/syntax/names.h"
#include "model/template/syntax/node.h"

struct tree {
    struct node_list body;
    struct names *names;
};

/* source: valid UTF-8 with \n for line ends, in the work's arena or longer-lived. Fails through
 * work: STATUS_INVALID, UNSUPPORTED, TOO_LARGE. */
void parser_run(struct work *work, const char *source, size_t length, struct tree *out);
