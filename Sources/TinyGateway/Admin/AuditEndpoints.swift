// SPDX-License-Identifier: MIT

/// Who changed what.
enum AuditEndpoints {
  static let all: [Endpoint] = []
}
