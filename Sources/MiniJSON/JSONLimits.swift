// SPDX-License-Identifier: MIT

/// Bounds on JSON text from outside; whatever exceeds one is refused.
package struct JSONLimits: Sendable {
  /// The deepest nesting of objects and arrays, 1 to 64.
  package var depth: Int
  /// The longest number, in bytes.
  package var numberByteCount: Int
  /// The most members of one object, at most 65,535.
  package var keyCount: Int
  /// The longest value that a scanner keeps a copy of, in bytes.
  package var captureByteCount: Int
  /// The most values in one `JSONDocument`.
  package var nodeCount: Int

  /// Makes limits; the defaults are those for requests.
  package init(
    depth: Int = 64, numberByteCount: Int = 64, keyCount: Int = 10_000,
    captureByteCount: Int = 512, nodeCount: Int = 100_000
  ) {
    self.depth = min(max(depth, 1), 64)
    self.numberByteCount = max(numberByteCount, 1)
    self.keyCount = min(max(keyCount, 0), 65_535)
    self.captureByteCount = max(captureByteCount, 0)
    self.nodeCount = max(nodeCount, 1)
  }

  /// The limits for requests.
  package static let standard = JSONLimits()
}
