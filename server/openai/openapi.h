/* openapi.h - openapi.json, the description of this API, as the build embeds it. */
#pragma once

extern const unsigned char openapi_json[];
extern const unsigned long openapi_json_bytes;
