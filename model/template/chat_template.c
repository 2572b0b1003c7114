#include "model/template/chat_template.h"

#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "model/template/render.h"
#include "model/template/value/value_json.h"

enum {
    PARSE_MEMORY_BYTES_MAX = 256 << 20,
    /* Levels of evaluation, each a few hundred bytes of stack: expressions, bodies and calls. */
    EVALUATION_DEPTH_MAX = 1500,
};

struct chat_template {
    struct work work; /* its arena holds the tree */
    struct tree tree;
};

/* ---- parsing -------------------------------------------------------------------------------- */

struct parsing {
    struct chat_template *chat_template;
    const char *source;
    size_t length;
};

/* A copy with \n for \r\n and \r, without the newline at the end: so does Jinja2. */
static size_t copy_source(const char *source, size_t length, char *out)
{
    size_t count = 0;
    for (size_t i = 0; i < length; i++) {
        const bool is_return = source[i] == '\r';
        out[count++] = is_return ? '\n' : source[i];
        if (is_return && i + 1 < length && source[i + 1] == '\n') {
            i++;
        }
    }
    return count > 0 && out[count - 1] == '\n' ? count - 1 : count;
}

static void parse(void *context)
{
    const struct parsing *parsing = context;
    struct work *work = &parsing->chat_template->work;
    if (parsing->length > CHAT_TEMPLATE_SOURCE_BYTES_MAX) {
        work_fail(work, STATUS_TOO_LARGE, "is larger than %d bytes",
                  (int)CHAT_TEMPLATE_SOURCE_BYTES_MAX);
    }
    if (utf8_valid_bytes(parsing->source, parsing->length) != parsing->length) {
        work_fail(work, STATUS_INVALID, "is not valid UTF-8");
    }
    char *source = work_take(work, parsing->length + 1, 1);
    const size_t length = copy_source(parsing->source, parsing->length, source);
    parser_run(work, source, length, &parsing->chat_template->tree);
}

enum status chat_template_parse(const char *source, size_t length, struct chat_template **out,
                                struct failure *failure)
{
    struct chat_template *made = calloc(1, sizeof *made);
    if (!made) {
        return fail(failure, STATUS_IO, "no memory");
    }
    const struct work_limits limits = {
        .steps_max = UINT64_MAX,
        .depth_max = CHAT_TEMPLATE_DEPTH_MAX,
        .memory_bytes_max = PARSE_MEMORY_BYTES_MAX,
    };
    struct parsing parsing = {made, source, length};
    work_start(&made->work, &limits, failure);
    const enum status status = work_run(&made->work, parse, &parsing);
    if (status != STATUS_OK) {
        chat_template_destroy(made);
        return status;
    }
    *out = made;
    return STATUS_OK;
}

void chat_template_destroy(struct chat_template *chat_template)
{
    if (chat_template) {
        work_end(&chat_template->work);
        free(chat_template);
    }
}

/* ---- rendering ------------------------------------------------------------------------------ */

struct rendering {
    struct render render;
    json_t *variables;
};

static bool is_from_user(const char *variable)
{
    return strcmp(variable, "messages") == 0 || strcmp(variable, "tools") == 0
           || strcmp(variable, "documents") == 0;
}

/* The outermost scope. A variable that the template never names is not looked at. */
static struct scope *read_variables(struct render *render, json_t *variables)
{
    struct scope *scope = scope_create(&render->work, NULL);
    const char *key = NULL;
    size_t length = 0;
    json_t *json = NULL;
    json_object_keylen_foreach(variables, key, length, json)
    {
        const uint32_t name = names_find(render->tree->names, key, length);
        if (name < NAMES_MAX) {
            const struct value value = value_json_read(&render->work, json, is_from_user(key));
            scope_set(&render->work, scope, name, value);
        }
    }
    return scope;
}

static void execute(void *context)
{
    struct rendering *rendering = context;
    struct render *render = &rendering->render;
    if (!json_is_object(rendering->variables)) {
        work_fail(&render->work, STATUS_INVALID, "the variables must be a JSON object");
    }
    struct scope *outer = read_variables(render, rendering->variables);
    render->scope = scope_create(&render->work, outer);
    render->out = writer_create(&render->work);
    render->out->limit_bytes = CHAT_TEMPLATE_OUTPUT_BYTES_MAX;
    (void)statement_execute(render, &render->tree->body);
}

static enum status copy_output(const struct writer *writer, struct buffer *text,
                               struct buffer *is_markup)
{
    if (writer->length == 0) {
        return STATUS_OK;
    }
    enum status status = buffer_append(text, writer->bytes, writer->length);
    if (status != STATUS_OK) {
        return status;
    }
    if (writer->origins) {
        return buffer_append(is_markup, (const char *)writer->origins, writer->length);
    }
    char same[256];
    memset(same, writer->origin, sizeof same);
    for (size_t done = 0; done < writer->length && status == STATUS_OK; done += sizeof same) {
        const size_t left = writer->length - done;
        status = buffer_append(is_markup, same, left < sizeof same ? left : sizeof same);
    }
    return status;
}

enum status chat_template_render(const struct chat_template *chat_template,
                                 const struct chat_template_input *input, struct buffer *text,
                                 struct buffer *is_markup, struct failure *failure)
{
    const struct work_limits limits = {
        .steps_max = input->steps_max ? input->steps_max : CHAT_TEMPLATE_STEPS_MAX,
        .depth_max = EVALUATION_DEPTH_MAX,
        .memory_bytes_max =
            input->memory_bytes_max ? input->memory_bytes_max : CHAT_TEMPLATE_MEMORY_BYTES_MAX,
    };
    struct rendering rendering = {
        .render = {.tree = &chat_template->tree,
                   .call_depth_max = CHAT_TEMPLATE_DEPTH_MAX,
                   .now_unix_s = input->now_unix_s},
        .variables = input->variables,
    };
    buffer_clear(text);
    buffer_clear(is_markup);
    work_start(&rendering.render.work, &limits, failure);
    enum status status = work_run(&rendering.render.work, execute, &rendering);
    if (status == STATUS_OK) {
        status = copy_output(rendering.render.out, text, is_markup);
        if (status != STATUS_OK) {
            buffer_clear(text);
            buffer_clear(is_markup);
            status = fail(failure, status, "the rendering does not fit into its buffer");
        }
    }
    work_end(&rendering.render.work);
    return status;
}
