// SPDX-License-Identifier: MIT

/// The request log.
enum LogEndpoints {
  static let all: [Endpoint] = []
}
