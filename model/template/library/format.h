/* format.h - Python's two ways to format: "%s" % x, and "{}".format(x). */
#pragma once
#include "model/template/library/builtin.h"
#include "model/template/value/writer.h"

/* How one value is laid out: the parts that both ways share. */
struct format_spec {
    const struct text *fill; /* one code point; NULL: a space */
    char align;              /* < > = ^ or 0: as the type likes it */
    char sign;               /* + space or 0 */
    bool is_alternate;       /* # */
    char group;              /* , or _ between thousands, or 0 */
    int width;               /* code points */
    int precision;           /* -1: none */
    char type;               /* 0: none */
};
enum { FORMAT_SIZE_MAX = 1 << 20, FORMAT_PRECISION_MAX = 100 };

/* Both write into writer, padded; text keeps its origins. */
void format_write_text(struct writer *writer, const struct text *text,
                       const struct format_spec *spec);
/* type is one of d o x X b e E f F g G %; an integer becomes a float where the type asks for it. */
void format_write_number(struct writer *writer, struct value number,
                         const struct format_spec *spec);

const struct text *format_percent(struct work *work, const struct text *text, struct value values);
const struct text *format_braces(struct render *render, const struct text *text,
                                 const struct call *call);
