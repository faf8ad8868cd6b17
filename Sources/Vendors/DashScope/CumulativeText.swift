// SPDX-License-Identifier: MIT
import Platform

/// A text that a vendor tells again from its beginning with each event.
struct CumulativeText {
  /// What was told last, but for replacement characters at its end.
  private var told = ByteString.empty

  /// Makes one of which nothing was told.
  init() {}

  /// What is new in the whole text so far.
  ///
  /// Compared in whole scalars. Replacement characters at the end are held back: they stand for
  /// a character that the vendor has in part, and will be told again. Where the vendor has changed
  /// what it told before, as many scalars as were told are left out.
  mutating func rest(of whole: ByteString) -> ByteString {
    var end = whole.count
    while end >= 3, whole[end - 3] == 0xEF, whole[end - 2] == 0xBF, whole[end - 1] == 0xBD {
      end -= 3
    }
    let bytes = Array(whole.bytes.prefix(end))
    var start = told.count
    if !bytes.starts(with: told.bytes) {
      var left = CumulativeText.scalarCount(told.bytes)
      start = 0
      while left > 0, start < end {
        start += 1
        while start < end, CumulativeText.isContinuation(bytes[start]) { start += 1 }
        left -= 1
      }
      if CumulativeText.scalarCount(bytes) < CumulativeText.scalarCount(told.bytes) {
        return .empty
      }
    }
    told = ByteString(bytes)
    return ByteString(Array(bytes.dropFirst(start)))
  }

  private static func scalarCount(_ bytes: [UInt8]) -> Int {
    bytes.count { !isContinuation($0) }
  }

  private static func isContinuation(_ byte: UInt8) -> Bool { byte & 0xC0 == 0x80 }
}
