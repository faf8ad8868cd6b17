// SPDX-License-Identifier: MIT
import Testing

@testable import Platform

struct BufferTests {
  private func check(_ expected: StaticString, _ compose: (Buffer) -> Void) {
    let buffer = Buffer()
    compose(buffer)
    #expect(buffer.byteString == ByteString(expected), "\(buffer.byteString.text)")
  }

  @Test func appendsBytesInOrder() {
    check("abcd") { buffer in
      buffer.append(UInt8(ascii: "a"))
      buffer.append("b")
      buffer.append(ByteString("c"))
      buffer.append(text: "d")
    }
    check("xy") { buffer in
      let other = Buffer()
      other.append("xy")
      buffer.append(contentsOf: other)
    }
    check("é") { $0.append(text: "é") }
    check("") { $0.append("") }
  }

  @Test func appendsDecimals() {
    check("0") { $0.append(decimal: 0) }
    check("9") { $0.append(decimal: 9) }
    check("10") { $0.append(decimal: 10) }
    check("-1") { $0.append(decimal: -1) }
    check("9223372036854775807") { $0.append(decimal: Int64.max) }
    check("-9223372036854775808") { $0.append(decimal: Int64.min) }
    check("18446744073709551615") { $0.append(decimal: UInt64.max) }
    check("1099") { buffer in
      for _ in 0..<1 { buffer.append(decimal: Int(1099)) }
    }
  }

  @Test func appendsTwoDigits() {
    check("00") { $0.append(twoDigits: 0) }
    check("07") { $0.append(twoDigits: 7) }
    check("59") { $0.append(twoDigits: 59) }
  }

  @Test func appendsHexadecimals() {
    check("0") { $0.append(hexadecimal: 0) }
    check("f") { $0.append(hexadecimal: 15) }
    check("10") { $0.append(hexadecimal: 16) }
    check("abc") { $0.append(hexadecimal: 0xABC) }
    check("ffffffffffffffff") { $0.append(hexadecimal: UInt64.max) }
    check("1000000000000000") { $0.append(hexadecimal: 1 << 60) }
    check("0123456789abcdef") { $0.append(hexadecimal16: 0x0123_4567_89ab_cdef) }
    check("fedcba9876543210") { $0.append(hexadecimal16: 0xfedc_ba98_7654_3210) }
    check("0000000000000009") { $0.append(hexadecimal16: 9) }
    check("a99aa00000000000") { $0.append(hexadecimal16: 0xa99a_a000_0000_0000) }
  }

  @Test func consumesAtTheFront() {
    check("cd") { buffer in
      buffer.append("abcd")
      buffer.consume(2)
    }
    check("") { buffer in
      buffer.append("abcd")
      buffer.consume(4)
    }
    check("cdef") { buffer in
      buffer.append("abcd")
      buffer.consume(2)
      buffer.append("ef")
    }
  }

  @Test func truncatesAtTheBack() {
    check("ab") { buffer in
      buffer.append("xabcd")
      buffer.consume(1)
      buffer.truncate(to: 2)
    }
    check("") { buffer in
      buffer.append("abcd")
      buffer.truncate(to: 0)
    }
  }

  @Test func keepsContentWhileGrowing() {
    let buffer = Buffer()
    for value in 0..<5000 { buffer.append(UInt8(truncatingIfNeeded: value)) }
    #expect(buffer.count == 5000)
    #expect(buffer.readable.enumerated().allSatisfy { $1 == UInt8(truncatingIfNeeded: $0) })
  }

  /// A queue that never empties must not grow with what has passed through it.
  @Test func keepsWhatIsReadableWhileGrowing() {
    for first in [100, 3000, 20_000, 40_000] {
      for extra in [1000, 30_000, 100_000] {
        let buffer = Buffer()
        let bytes = (0..<first).map { UInt8(truncatingIfNeeded: $0) }
        buffer.append(bytes.span)
        buffer.consume(50)
        buffer.reserve(extra)
        #expect(buffer.reservedByteCount >= first - 50 + extra)
        #expect(Array(buffer.readable) == Array(bytes[50...]))
      }
    }
  }

  @Test func reusesTheConsumedPart() {
    let buffer = Buffer()
    let piece = ByteString([UInt8](repeating: 7, count: 100))
    for _ in 0..<10_000 {
      buffer.append(piece)
      if buffer.count > 300 { buffer.consume(100) }
    }
    #expect(buffer.reservedByteCount <= 1024)
    #expect(buffer.readable.allSatisfy { $0 == 7 })
  }

  /// Every mixture of appending and consuming gives what a plain array gives.
  @Test func behavesAsAnArray() {
    var model: [UInt8] = []
    let buffer = Buffer()
    var seed: UInt32 = 12345
    for round in 0..<3000 {
      seed = seed &* 1_664_525 &+ 1_013_904_223
      let amount = Int(seed >> 20) % 700
      if seed & 0x10000 == 0 {
        let bytes = [UInt8](repeating: UInt8(truncatingIfNeeded: round), count: amount)
        bytes.withUnsafeBytes { buffer.append($0) }
        model += bytes
      } else {
        let count = min(amount * 2, model.count)
        buffer.consume(count)
        model.removeFirst(count)
      }
      #expect(buffer.count == model.count)
    }
    #expect(buffer.byteString.bytes == model)
  }

  @Test func appendsWhatABlockWrites() {
    let buffer = Buffer()
    buffer.append("a")
    let written = buffer.appendUsing(minimum: 1000) { raw in
      #expect(raw.count >= 1000)
      raw[0] = UInt8(ascii: "b")
      return 1
    }
    #expect(written == 1)
    #expect(buffer.byteString == "ab")
    #expect(buffer.appendUsing(minimum: 10) { _ in -11 } == -11)
    #expect(buffer.byteString == "ab")
  }

  @Test func releasesItsMemory() {
    let buffer = Buffer()
    #expect(buffer.reservedByteCount == 0)
    buffer.append("abc")
    buffer.clear()
    #expect(buffer.isEmpty)
    #expect(buffer.reservedByteCount > 0)
    buffer.release()
    #expect(buffer.reservedByteCount == 0)
    #expect(buffer.readable.isEmpty)
    buffer.append("d")
    #expect(buffer.byteString == "d")
  }

  @Test func lendsItsBytesAsASpan() {
    let buffer = Buffer()
    #expect(buffer.withReadable { $0.count } == 0)
    buffer.append("abc")
    #expect(buffer.withReadable { $0[2] } == UInt8(ascii: "c"))
  }
}
