/* commands.h - a command is a file and a row of the table in main.c. It gets its own arguments
 * (argv[0] is its name), writes its result to stdout, progress and one line of error to stderr, and
 * returns the exit code: 0 done, 1 failed, 2 wrong use. */
#pragma once

int audit_main(int argc, char **argv);
int bench_main(int argc, char **argv);
int demo_main(int argc, char **argv);
int detokenize_main(int argc, char **argv);
int doctor_main(int argc, char **argv);
int generate_main(int argc, char **argv);
int key_main(int argc, char **argv);
int logits_main(int argc, char **argv);
int policy_main(int argc, char **argv);
int scan_main(int argc, char **argv);
int serve_main(int argc, char **argv);
int template_main(int argc, char **argv);
int tenant_main(int argc, char **argv);
int tokenize_main(int argc, char **argv);
