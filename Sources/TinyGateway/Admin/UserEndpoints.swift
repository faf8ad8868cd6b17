// SPDX-License-Identifier: MIT

/// Accounts: list, show, create, change, top up, delete.
enum UserEndpoints {
  static let all: [Endpoint] = []
}
