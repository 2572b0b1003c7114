/* exchange.h - one request from its head to the end of its answer, as MHD's callbacks drive it. */
#pragma once
#include "server/http/http_private.h"

/* MHD_AccessHandlerCallback; context is the struct listener. */
enum MHD_Result exchange_handle(void *context, struct MHD_Connection *mhd, const char *url,
                                const char *method, const char *version, const char *upload,
                                size_t *upload_bytes, void **request_context);

/* MHD_RequestCompletedCallback. */
void exchange_completed(void *context, struct MHD_Connection *mhd, void **request_context,
                        enum MHD_RequestTerminationCode code);

/* MHD_ContentReaderCallback of a stream; context is the exchange. */
ssize_t exchange_read_stream(void *context, uint64_t position, char *out, size_t max);
