/* Method: notes are written and read back; every way to damage the file is refused, and the next
 * note makes it anew with all segments that there are. */
#include "audit/spool/erased.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "audit/spool/segment.h"
#include "tests/audit/support_writer.h"
#include "tests/check.h"

enum { PATH_BYTES = 256, TEXT_BYTES = 1024 };

static char root[SUPPORT_DIRECTORY_BYTES], directory[SUPPORT_DIRECTORY_BYTES + 8];
static char file_path[PATH_BYTES];
static struct failure failure;
static const uint64_t segments[] = {1, 100, 200, 300};

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "we");
    CHECK(file && fputs(text, file) >= 0 && fclose(file) == 0, "%s", path);
}

static void make_directory(void)
{
    char path[PATH_BYTES];
    support_directory_make(root);
    snprintf(directory, sizeof directory, "%s/audit", root);
    snprintf(file_path, sizeof file_path, "%s/erased", directory);
    snprintf(path, sizeof path, "%s/segments", directory);
    CHECK(mkdir(directory, 0700) == 0 && mkdir(path, 0700) == 0, "%s", path);
    for (size_t i = 0; i < sizeof segments / sizeof segments[0]; i++) {
        snprintf(path, sizeof path, "%s/segments/%020llu.seg", directory,
                 (unsigned long long)segments[i]);
        write_file(path, "");
    }
}

static struct erased read_all(enum status want)
{
    struct erased erased;
    const enum status status = erased_read(directory, &erased, &failure);
    CHECK(status == want, "%s: %s", status_name(status), failure.text);
    for (size_t i = 1; i < erased.count; i++) {
        CHECK(erased.segments[i].mark >= erased.segments[i - 1].mark, "marks grow");
    }
    return erased;
}

static void note(uint64_t segment, uint64_t sequence)
{
    CHECK(erased_note(directory, segment, sequence, &failure) == STATUS_OK, "%s", failure.text);
}

static void the_first_note_names_every_segment(void)
{
    make_directory();
    struct erased erased = read_all(STATUS_NOT_FOUND);
    CHECK(erased.count == 0 && erased.removed_to == 0, "nothing");
    note(100, 500);
    erased = read_all(STATUS_OK);
    CHECK(erased.count == 4 && erased.removed_to == 0, "%zu segments", erased.count);
    CHECK(erased.count == 4 && erased.segments[3].segment == 100
              && erased.segments[3].mark > erased.segments[2].mark
              && erased.segments[3].sequence == 500,
          "the noted one is the last");
    erased_free(&erased);
    support_directory_remove(root);
}

static void a_segment_has_its_last_mark_alone(void)
{
    make_directory();
    note(100, 500);
    note(200, 501);
    note(100, 502);
    struct erased erased = read_all(STATUS_OK);
    CHECK(erased.count == 4, "%zu segments", erased.count);
    CHECK(erased.count == 4 && erased.segments[3].segment == 100
              && erased.segments[3].sequence == 502 && erased.segments[2].segment == 200
              && erased.segments[3].mark > erased.segments[2].mark,
          "in the order of their marks");
    erased_free(&erased);
    support_directory_remove(root);
}

static void removed_segments_are_left_out(void)
{
    make_directory();
    note(300, 500);
    CHECK(erased_note_removed(directory, 199, 501, &failure) == STATUS_OK, "%s", failure.text);
    CHECK(erased_note_removed(directory, 99, 501, &failure) == STATUS_OK, "%s", failure.text);
    struct erased erased = read_all(STATUS_OK);
    CHECK(erased.removed_to == 199 && erased.removed_sequence == 501 && erased.count == 2,
          "to %llu, %zu are left", (unsigned long long)erased.removed_to, erased.count);
    CHECK(erased.count == 2 && erased.segments[0].segment == 200
              && erased.segments[1].segment == 300,
          "those behind them");
    erased_free(&erased);
    support_directory_remove(root);
}

#define ZEROS "00000000000000000000"
static const char *const damaged[] = {
    "",
    "removed_to 1\n",
    "removed_to " ZEROS " " ZEROS,
    "removed_to " ZEROS "\n",
    "removed_to " ZEROS " " ZEROS "\n" ZEROS,
    "removed_to 99999999999999999999 " ZEROS "\n",
    "removed_to  0000000000000000000 " ZEROS "\n",
    "removed_at " ZEROS " " ZEROS "\n",
    "removed_to " ZEROS " " ZEROS "\n" ZEROS " " ZEROS " 0000000000000000000x\n",
    "removed_to " ZEROS " " ZEROS "\n" ZEROS " " ZEROS "  " ZEROS,
    "removed_to " ZEROS " " ZEROS "\n" ZEROS " " ZEROS " " ZEROS "\n\n",
};

static void a_damaged_file_is_made_anew(void)
{
    for (size_t i = 0; i < sizeof damaged / sizeof damaged[0]; i++) {
        make_directory();
        write_file(file_path, damaged[i]);
        struct erased erased = read_all(STATUS_INVALID);
        CHECK(erased.count == 0 && !erased.segments, "file %zu", i);
        note(200, 500);
        erased = read_all(STATUS_OK);
        CHECK(erased.count == 4, "file %zu: %zu segments", i, erased.count);
        erased_free(&erased);
        support_directory_remove(root);
    }
}

CHECK_MAIN(the_first_note_names_every_segment, a_segment_has_its_last_mark_alone,
           removed_segments_are_left_out, a_damaged_file_is_made_anew)
