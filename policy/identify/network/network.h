/* network.h - what detect_network looks for, one file each. All say how many lexemes from `at` on
 * are such a thing, 0: none. The answer counts only if the cursor is not starved. */
#pragma once
#include "policy/identify/cursor.h"

uint32_t email_match(struct cursor *cursor);       /* also "name at host dot org" */
uint32_t web_match(struct cursor *cursor);         /* a URL, or a bare host */
uint32_t ip_match(struct cursor *cursor);          /* IPv4 and IPv6 */
uint32_t mac_match(struct cursor *cursor);         /* of a network card */
uint32_t handle_match(struct cursor *cursor);      /* @name, u/name, "username: name" */
uint32_t coordinates_match(struct cursor *cursor); /* decimal pairs, degrees and minutes */

/* True: the lexeme is a top-level domain. *is_word: it is an English word too ("me", "is"). */
bool web_is_top_level(struct cursor *cursor, uint32_t index, bool *is_word);
