/* method_string.c - Python's str methods. Positions are code points. */
#include "model/template/library/format.h"
#include "model/template/library/method.h"
#include "model/template/library/text_methods.h"
#include "model/template/render.h"

/* A string argument that must be there. */
static const struct text *need_text(struct render *render, const struct call *call, size_t index)
{
    const struct text *text = builtin_text(&render->work, call, index);
    if (!text) {
        work_fail(&render->work, STATUS_INVALID, "a string is wanted, not 'NoneType'");
    }
    return text;
}

/* ---- cases ---------------------------------------------------------------------------------- */

static struct value in_case(struct render *render, struct value self, enum text_case how)
{
    return value_text(text_methods_case(&render->work, self.text, how));
}

struct value method_string_upper(struct render *render, struct value self, const struct call *call)
{
    (void)call;
    return in_case(render, self, TEXT_UPPER);
}

struct value method_string_lower(struct render *render, struct value self, const struct call *call)
{
    (void)call;
    return in_case(render, self, TEXT_LOWER);
}

struct value method_string_title(struct render *render, struct value self, const struct call *call)
{
    (void)call;
    return in_case(render, self, TEXT_TITLE);
}

struct value method_string_capitalize(struct render *render, struct value self,
                                      const struct call *call)
{
    (void)call;
    return in_case(render, self, TEXT_CAPITALIZE);
}

/* ---- strip, split, join, replace ------------------------------------------------------------ */

static struct value strip(struct render *render, struct value self, const struct call *call,
                          bool left, bool right)
{
    const struct text *chars = builtin_text(&render->work, call, 0);
    return value_text(text_methods_strip(&render->work, self.text, chars, left, right));
}

struct value method_string_strip(struct render *render, struct value self, const struct call *call)
{
    return strip(render, self, call, true, true);
}

struct value method_string_lstrip(struct render *render, struct value self, const struct call *call)
{
    return strip(render, self, call, true, false);
}

struct value method_string_rstrip(struct render *render, struct value self, const struct call *call)
{
    return strip(render, self, call, false, true);
}

struct value method_string_split(struct render *render, struct value self, const struct call *call)
{
    const struct text *separator = builtin_text(&render->work, call, 0);
    const int64_t limit = builtin_integer(&render->work, call, 1, -1);
    return text_methods_split(&render->work, self.text, separator, limit, false);
}

struct value method_string_rsplit(struct render *render, struct value self, const struct call *call)
{
    const struct text *separator = builtin_text(&render->work, call, 0);
    const int64_t limit = builtin_integer(&render->work, call, 1, -1);
    return text_methods_split(&render->work, self.text, separator, limit, true);
}

struct value method_string_splitlines(struct render *render, struct value self,
                                      const struct call *call)
{
    return text_methods_lines(&render->work, self.text, builtin_flag(call, 0));
}

/* The three parts; when the separator is not there, all is in the first or the last of them. */
static struct value partition(struct render *render, struct value self, const struct call *call,
                              bool from_right)
{
    struct work *work = &render->work;
    const struct text *text = self.text;
    const struct text *separator = need_text(render, call, 0);
    if (separator->length == 0) {
        work_fail(work, STATUS_INVALID, "empty separator");
    }
    const ptrdiff_t found = from_right ? text_find_last(work, text, separator, text->length)
                                       : text_find(work, text, separator, 0);
    size_t from = from_right ? 0 : text->length;
    size_t to = from;
    if (found != TEXT_NOT_FOUND) {
        from = (size_t)found;
        to = from + separator->length;
    }
    struct value *parts = work_take(work, 3, sizeof *parts);
    parts[0] = value_text(text_slice(work, text, 0, from));
    parts[1] = value_text(text_slice(work, text, from, to));
    parts[2] = value_text(text_slice(work, text, to, text->length));
    return value_list(work, VALUE_TUPLE, parts, 3);
}

struct value method_string_partition(struct render *render, struct value self,
                                     const struct call *call)
{
    return partition(render, self, call, false);
}

struct value method_string_rpartition(struct render *render, struct value self,
                                      const struct call *call)
{
    return partition(render, self, call, true);
}

struct value method_string_join(struct render *render, struct value self, const struct call *call)
{
    const struct list items = value_iterate(&render->work, call->arguments[0]);
    return value_text(text_methods_join(&render->work, self.text, &items));
}

struct value method_string_replace(struct render *render, struct value self,
                                   const struct call *call)
{
    struct work *work = &render->work;
    const struct text *old = need_text(render, call, 0);
    const struct text *new = need_text(render, call, 1);
    const int64_t limit = builtin_integer(work, call, 2, -1);
    new = self.text->is_safe ? text_escape(work, new) : new;
    return value_text(text_methods_replace(work, self.text, old, new, limit));
}

struct value method_string_removeprefix(struct render *render, struct value self,
                                        const struct call *call)
{
    const struct text *prefix = need_text(render, call, 0);
    if (!text_starts_with(self.text, 0, prefix)) {
        return self;
    }
    return value_text(text_slice(&render->work, self.text, prefix->length, self.text->length));
}

struct value method_string_removesuffix(struct render *render, struct value self,
                                        const struct call *call)
{
    const struct text *text = self.text;
    const struct text *suffix = need_text(render, call, 0);
    if (suffix->length > text->length
        || !text_starts_with(text, text->length - suffix->length, suffix)) {
        return self;
    }
    return value_text(text_slice(&render->work, text, 0, text->length - suffix->length));
}

/* ---- layout --------------------------------------------------------------------------------- */

static struct value pad(struct render *render, struct value self, const struct call *call,
                        enum text_side side)
{
    struct work *work = &render->work;
    const int64_t width = builtin_integer(work, call, 0, 0);
    return value_text(text_methods_pad(work, self.text, side, width, builtin_text(work, call, 1)));
}

struct value method_string_center(struct render *render, struct value self, const struct call *call)
{
    return pad(render, self, call, TEXT_BOTH);
}

struct value method_string_ljust(struct render *render, struct value self, const struct call *call)
{
    return pad(render, self, call, TEXT_RIGHT);
}

struct value method_string_rjust(struct render *render, struct value self, const struct call *call)
{
    return pad(render, self, call, TEXT_LEFT);
}

struct value method_string_zfill(struct render *render, struct value self, const struct call *call)
{
    struct work *work = &render->work;
    const struct text *text = self.text;
    const int64_t width = builtin_integer(work, call, 0, 0);
    const bool is_signed = text->length > 0 && (text->bytes[0] == '-' || text->bytes[0] == '+');
    const size_t sign = is_signed ? 1 : 0;
    const struct text *digits = text_slice(work, text, sign, text->length);
    const int64_t left = width > (int64_t)sign ? width - (int64_t)sign : 0;
    const struct text *padded =
        text_methods_pad(work, digits, TEXT_LEFT, left, text_literal(work, "0"));
    return value_text(text_concat(work, text_slice(work, text, 0, sign), padded));
}

struct value method_string_format(struct render *render, struct value self, const struct call *call)
{
    return value_text(format_braces(render, self.text, call));
}

/* ---- find ----------------------------------------------------------------------------------- */

/* The part of the text between the arguments `start` and `end`; false when it is outside. */
static bool window(struct render *render, struct value self, const struct call *call, size_t *from,
                   size_t *to)
{
    struct work *work = &render->work;
    const struct text *text = self.text;
    *from = 0;
    *to = text->length;
    if (!builtin_has(call, 1) && !builtin_has(call, 2)) {
        return true;
    }
    const int64_t count = (int64_t)text_code_points(work, text);
    int64_t start = builtin_integer(work, call, 1, 0);
    int64_t end = builtin_integer(work, call, 2, count);
    start += start < 0 ? count : 0;
    end += end < 0 ? count : 0;
    start = start < 0 ? 0 : start;
    end = end < 0 ? 0 : end > count ? count : end;
    if (start > count || start > end) {
        return false;
    }
    *from = text_offset(work, text, 0, (size_t)start);
    *to = text_offset(work, text, 0, (size_t)end);
    return true;
}

static int64_t find(struct render *render, struct value self, const struct call *call, bool last)
{
    struct work *work = &render->work;
    const struct text *needle = need_text(render, call, 0);
    size_t from = 0;
    size_t to = 0;
    if (!window(render, self, call, &from, &to)) {
        return -1;
    }
    const struct text *text = text_slice(work, self.text, 0, to);
    const ptrdiff_t at =
        last ? text_find_last(work, text, needle, to) : text_find(work, text, needle, from);
    if (at == TEXT_NOT_FOUND || (size_t)at < from) {
        return -1;
    }
    return (int64_t)text_code_points(work, text_slice(work, self.text, 0, (size_t)at));
}

struct value method_string_find(struct render *render, struct value self, const struct call *call)
{
    return value_integer(find(render, self, call, false));
}

struct value method_string_rfind(struct render *render, struct value self, const struct call *call)
{
    return value_integer(find(render, self, call, true));
}

static struct value need_found(struct render *render, int64_t at)
{
    if (at < 0) {
        work_fail(&render->work, STATUS_INVALID, "substring not found");
    }
    return value_integer(at);
}

struct value method_string_index(struct render *render, struct value self, const struct call *call)
{
    return need_found(render, find(render, self, call, false));
}

struct value method_string_rindex(struct render *render, struct value self, const struct call *call)
{
    return need_found(render, find(render, self, call, true));
}

struct value method_string_count(struct render *render, struct value self, const struct call *call)
{
    struct work *work = &render->work;
    const struct text *needle = need_text(render, call, 0);
    size_t from = 0;
    size_t to = 0;
    if (!window(render, self, call, &from, &to)) {
        return value_integer(0);
    }
    const struct text *text = text_slice(work, self.text, from, to);
    if (needle->length == 0) {
        return value_count(text_code_points(work, text) + 1);
    }
    int64_t count = 0;
    ptrdiff_t at = text_find(work, text, needle, 0);
    while (at != TEXT_NOT_FOUND) {
        work_step(work);
        count++;
        at = text_find(work, text, needle, (size_t)at + needle->length);
    }
    return value_integer(count);
}

/* ---- startswith and endswith ---------------------------------------------------------------- */

static bool has_affix(struct render *render, const struct text *text, struct value affix,
                      bool at_end)
{
    if (affix.kind == VALUE_UNDEFINED) {
        value_fail_undefined(&render->work, affix);
    }
    if (affix.kind != VALUE_STRING) {
        work_fail(&render->work, STATUS_INVALID,
                  "%s first arg must be str or a tuple of str, not %s",
                  at_end ? "endswith" : "startswith", value_type(affix));
    }
    if (affix.text->length > text->length) {
        return false;
    }
    work_scan(&render->work, affix.text->length);
    return text_starts_with(text, at_end ? text->length - affix.text->length : 0, affix.text);
}

static struct value has_one_affix(struct render *render, struct value self, const struct call *call,
                                  bool at_end)
{
    const struct value affix = call->arguments[0];
    size_t from = 0;
    size_t to = 0;
    if (!window(render, self, call, &from, &to)) {
        return value_boolean(false);
    }
    const struct text *text = text_slice(&render->work, self.text, from, to);
    if (affix.kind != VALUE_TUPLE) {
        return value_boolean(has_affix(render, text, affix, at_end));
    }
    bool has = false;
    for (size_t i = 0; i < affix.list->count && !has; i++) {
        work_step(&render->work);
        has = has_affix(render, text, affix.list->items[i], at_end);
    }
    return value_boolean(has);
}

struct value method_string_startswith(struct render *render, struct value self,
                                      const struct call *call)
{
    return has_one_affix(render, self, call, false);
}

struct value method_string_endswith(struct render *render, struct value self,
                                    const struct call *call)
{
    return has_one_affix(render, self, call, true);
}
