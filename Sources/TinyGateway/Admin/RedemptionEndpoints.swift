// SPDX-License-Identifier: MIT

/// Redemption codes.
enum RedemptionEndpoints {
  static let all: [Endpoint] = []
}
