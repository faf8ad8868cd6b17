// SPDX-License-Identifier: MIT
import Platform
import Testing

@testable import TinyGateway

/// What a model may be called, byte by byte.
struct RelayModelNameTests {
  @Test func allowsExactlyTheDocumentedBytes() {
    let allowed = Set(
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._:/@+-".utf8)
    for byte in UInt8.min...UInt8.max {
      #expect(ModelName.isValid(ByteString([byte])) == allowed.contains(byte), "\(byte)")
      #expect(ModelName.isValid(ByteString([0x61, byte])) == allowed.contains(byte), "\(byte)")
    }
  }

  @Test func allowsOneTo128Bytes() {
    for (count, isValid) in [(0, false), (1, true), (128, true), (129, false)] {
      #expect(ModelName.isValid(ByteString([UInt8](repeating: 0x61, count: count))) == isValid)
    }
  }
}
