// SPDX-License-Identifier: MIT

/// Long-lived tokens for scripts.
enum ManagementTokenEndpoints {
  static let all: [Endpoint] = []
}
