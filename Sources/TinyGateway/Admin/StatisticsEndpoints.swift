// SPDX-License-Identifier: MIT

/// Usage by day, model, user and token.
enum StatisticsEndpoints {
  static let all: [Endpoint] = []
}
