/* method_is.c - questions about all characters of a string: isdigit() and its kind. */
#include "model/template/library/method.h"
#include "model/template/render.h"
#include "model/template/value/unicode.h"

typedef bool question(uint32_t code_point);

/* True for at least one character, and for all of them. */
static struct value all(struct render *render, struct value self, question *asks)
{
    size_t bytes = 0;
    work_scan(&render->work, self.text->length);
    for (size_t at = 0; at < self.text->length; at += bytes) {
        if (!asks(text_code_point(self.text, at, &bytes))) {
            return value_boolean(false);
        }
    }
    return value_boolean(self.text->length > 0);
}

static bool is_alnum(uint32_t code_point)
{
    return unicode_is_alpha(code_point) || unicode_is_numeric(code_point);
}

#define METHOD_IS(name, question)                                                        \
    struct value name(struct render *render, struct value self, const struct call *call) \
    {                                                                                    \
        (void)call;                                                                      \
        return all(render, self, question);                                              \
    }

METHOD_IS(method_is_alnum, is_alnum)
METHOD_IS(method_is_alpha, unicode_is_alpha)
METHOD_IS(method_is_decimal, unicode_is_decimal)
METHOD_IS(method_is_digit, unicode_is_digit)
METHOD_IS(method_is_numeric, unicode_is_numeric)
METHOD_IS(method_is_space, unicode_is_space)

struct value method_is_ascii(struct render *render, struct value self, const struct call *call)
{
    (void)call;
    work_scan(&render->work, self.text->length);
    for (size_t i = 0; i < self.text->length; i++) {
        if ((unsigned char)self.text->bytes[i] >= 0x80) {
            return value_boolean(false);
        }
    }
    return value_boolean(true);
}

/* Letters that have a case must fit, and there must be one. */
static struct value all_cased(struct render *render, struct value self, question *asks)
{
    bool has_case = false;
    size_t bytes = 0;
    work_scan(&render->work, self.text->length);
    for (size_t at = 0; at < self.text->length; at += bytes) {
        const uint32_t code_point = text_code_point(self.text, at, &bytes);
        if (unicode_is_cased(code_point)) {
            if (!asks(code_point)) {
                return value_boolean(false);
            }
            has_case = true;
        }
    }
    return value_boolean(has_case);
}

struct value method_is_lower(struct render *render, struct value self, const struct call *call)
{
    (void)call;
    return all_cased(render, self, unicode_is_lower);
}

struct value method_is_upper(struct render *render, struct value self, const struct call *call)
{
    (void)call;
    return all_cased(render, self, unicode_is_upper);
}

struct value method_is_title(struct render *render, struct value self, const struct call *call)
{
    bool follows_cased = false;
    bool has_case = false;
    size_t bytes = 0;
    (void)call;
    work_scan(&render->work, self.text->length);
    for (size_t at = 0; at < self.text->length; at += bytes) {
        const uint32_t code_point = text_code_point(self.text, at, &bytes);
        const bool is_cased = unicode_is_cased(code_point);
        if (is_cased && unicode_is_lower(code_point) != follows_cased) {
            return value_boolean(false);
        }
        has_case |= is_cased;
        follows_cased = is_cased;
    }
    return value_boolean(has_case);
}
