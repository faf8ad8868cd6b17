// SPDX-License-Identifier: MIT

/// Prices of models.
enum PriceEndpoints {
  static let all: [Endpoint] = []
}
