// SPDX-License-Identifier: MIT

/// Options that change at run time.
enum OptionEndpoints {
  static let all: [Endpoint] = []
}
