// SPDX-License-Identifier: MIT
import Platform
import Testing

@testable import MiniHTTP

struct HeadLinesTests {
  private func check(
    _ text: ByteString, _ expected: HeadLines.Scan, from start: Int = 0, checked: Int = 0
  ) {
    let found = HeadLines.scan(text.bytes.span, from: start, checked: checked)
    #expect(found == expected, "\(text.text)")
  }

  @Test func findsTheEmptyLine() {
    check("", .needMore)
    check("a\r\n", .needMore)
    check("a\r\n\r\n", .end(5))
    check("a\r\nb\r\n\r\nc", .end(8))
    check("a\r\n\r\nb\r\n\r\n", .end(5))
    check("\r\n", .needMore)
  }

  @Test func findsTheEndOfAHeadBehindWhatWasSeen() {
    for checked in 0...2 { check("a\r\n\r\n", .end(5), checked: checked) }
    check("\r\na\r\n\r\n", .end(7), from: 2)
    check("\r\na\r\n\r\n", .end(7), from: 2, checked: 1)
  }

  @Test func noticesLoneLineFeeds() {
    check("\n", .malformed)
    check("a\n", .malformed)
    check("a\r\n\n", .malformed)
    check("\r\n\na", .malformed, from: 2)
  }

  @Test func knowsTokens() {
    let marks = [UInt8]("!#$%&'*+-.^_`|~".utf8)
    for byte in UInt8.min...UInt8.max {
      let expected = ASCII.isLetter(byte) || ASCII.isDigit(byte) || marks.contains(byte)
      #expect(HeadLines.isToken(byte) == expected, "\(byte)")
    }
  }

  /// The fast way of looking at eight bytes at once must agree with the slow one.
  @Test func judgesValuesAsTheirBytes() {
    for byte in UInt8.min...UInt8.max {
      let expected = byte >= 0x20 && byte != 0x7F || byte == 0x09
      #expect(HeadLines.isValueByte(byte) == expected, "\(byte)")
      for filler: UInt8 in [0x20, 0x61, 0x7E, 0x80, 0x09, 0xFF] {
        for position in 0..<17 {
          var bytes = [UInt8](repeating: filler, count: 17)
          bytes[position] = byte
          let found = HeadLines.isValue(bytes.span)
          #expect(found == expected, "\(byte) at \(position)")
        }
      }
    }
    let nothing: [UInt8] = []
    let isValue = HeadLines.isValue(nothing.span)
    #expect(isValue)
  }

  @Test func tellsEveryFailureToTheSender() {
    for (failure, status): (ParseFailure, Int) in [
      (.malformed, 400), (.requestLineTooLong, 414), (.headTooLarge, 431), (.unknownMethod, 501),
      (.refusedMethod, 405), (.unsupportedVersion, 505), (.unsupportedTransferCoding, 501),
      (.conflictingLength, 400),
    ] {
      #expect(failure.status.code == status)
      #expect(failure.sentence.utf8CodeUnitCount > 0)
      #expect(failure.status.reason.utf8CodeUnitCount > 0)
    }
  }
}
