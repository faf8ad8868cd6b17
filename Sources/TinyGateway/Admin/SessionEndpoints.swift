// SPDX-License-Identifier: MIT

/// Logins of the web pages, and logging out.
enum SessionEndpoints {
  static let all: [Endpoint] = []
}
