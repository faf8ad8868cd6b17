// SPDX-License-Identifier: MIT
import Platform

@testable import MiniHTTP

/// One input of libFuzzer: as the value of a `Cookie` field.
@_cdecl("LLVMFuzzerTestOneInput")
package func fuzzOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
  let field = [UInt8](UnsafeBufferPointer(start: start, count: start == nil ? 0 : count))
  CookieFuzz.check(field)
  return 0
}

enum CookieFuzz {
  static func check(_ field: [UInt8]) {
    let result = CookieField.find("sid", in: field.span)
    let own = pairs(field)
    switch result {
    case .missing: precondition(own.isEmpty, "it is there")
    case .unclear: precondition(!own.isEmpty, "it is not there")
    case .found(let value):
      precondition(own.count == 1, "it is there twice")
      precondition(!value.isEmpty && value.count <= CookieField.valueByteCount, "a length")
      for byte in value.bytes {
        precondition(
          ASCII.isLetter(byte) || ASCII.isDigit(byte) || byte == 0x2D || byte == 0x5F, "a byte")
      }
      precondition(own.first?.split(at: 0x3D)?.after == value, "another value")
    }
    // One more makes two, whatever stands before it.
    let twice = field + ByteString("; sid=a; sid=b").bytes
    precondition(CookieField.find("sid", in: twice.span) == .unclear, "two are not seen")
  }

  /// The pairs of that name, found in the slow and simple way.
  private static func pairs(_ field: [UInt8]) -> [ByteString] {
    field.split(separator: 0x3B, omittingEmptySubsequences: false)
      .map { ByteString(Array($0)).trimmed }
      .filter { ($0.split(at: 0x3D)?.before ?? $0).trimmed == "sid" }
  }
}
