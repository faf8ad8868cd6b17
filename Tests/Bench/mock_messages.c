/* SPDX-License-Identifier: MIT */
/* Streams in the format of Anthropic's Messages API, for the cost of converting them. */
#include <stdio.h>
#include <string.h>

#include "mock.h"

static const char filler[] =
    "The quick brown fox jumps over the lazy dog while the gateway turns "
    "one vendor's events into those of another, piece by piece. ";

int messages_begin(char *to) {
  return sprintf(to,
                 "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{"
                 "\"id\":\"msg_mock\",\"type\":\"message\",\"role\":\"assistant\","
                 "\"model\":\"mock\",\"content\":[],\"stop_reason\":null,\"usage\":{"
                 "\"input_tokens\":21,\"output_tokens\":1}}}\n\n"
                 "event: content_block_start\ndata: {\"type\":\"content_block_start\","
                 "\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":\"\"}}\n\n");
}

int messages_event(char *to, int capacity, int index, int bytes) {
  static const char tail[] = "\"}}\n\n";
  int n = snprintf(to, capacity,
                   "event: content_block_delta\ndata: {\"type\":\"content_block_delta\","
                   "\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"@%019lld.%04d@ ",
                   (long long)now_ns(), index);
  for (int i = 0, end = bytes - (int)sizeof tail + 1; n < end; i++)
    to[n++] = filler[i % (sizeof filler - 1)];
  memcpy(to + n, tail, sizeof tail - 1);
  return n + (int)sizeof tail - 1;
}

int messages_end(char *to, int completion) {
  return sprintf(to,
                 "event: content_block_stop\ndata: {\"type\":\"content_block_stop\","
                 "\"index\":0}\n\n"
                 "event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{"
                 "\"stop_reason\":\"end_turn\",\"stop_sequence\":null},\"usage\":{"
                 "\"output_tokens\":%d}}\n\n"
                 "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n",
                 completion);
}
