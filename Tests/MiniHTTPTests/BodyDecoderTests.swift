// SPDX-License-Identifier: MIT
import Platform
import Testing

@testable import MiniHTTP

struct BodyDecoderTests {
  private enum Fate: Equatable {
    /// Bytes behind the body.
    case ended(rest: Int)
    case open
    case bad
  }

  private struct Report: Equatable {
    var body: [UInt8] = []
    var fate = Fate.open
  }

  /// Decodes the slices one after the other, as if each came in a read of its own.
  private func decode(_ slices: [[UInt8]], _ framing: BodyFraming) -> Report {
    var decoder = BodyDecoder(framing)
    var report = Report()
    var rest = 0
    for slice in slices {
      if report.fate == .bad { return report }
      if case .ended = report.fate {
        rest += slice.count
        report.fate = .ended(rest: rest)
        continue
      }
      var offset = 0
      reading: while true {
        switch decoder.next(slice.span, at: &offset) {
        case .data(let range): report.body += slice[range]
        case .needMore: break reading
        case .end(let end):
          rest = slice.count - end
          report.fate = .ended(rest: rest)
          break reading
        case .bad:
          report.fate = .bad
          break reading
        }
      }
    }
    return report
  }

  /// Whole, byte by byte and cut in two at every place.
  private func check(
    _ text: String, _ framing: BodyFraming, _ body: String, _ fate: Fate,
    location: SourceLocation = #_sourceLocation
  ) {
    let bytes = [UInt8](text.utf8)
    let expected = Report(body: [UInt8](body.utf8), fate: fate)
    #expect(decode([bytes], framing) == expected, "\(text)", sourceLocation: location)
    let single = bytes.map { [$0] }
    #expect(decode(single, framing) == expected, "\(text)", sourceLocation: location)
    for cut in 0...bytes.count {
      let halves = [Array(bytes[..<cut]), Array(bytes[cut...])]
      #expect(decode(halves, framing) == expected, "\(text) \(cut)", sourceLocation: location)
    }
  }

  @Test func readsChunks() {
    check("0\r\n\r\n", .chunked, "", .ended(rest: 0))
    check("5\r\nhello\r\n0\r\n\r\n", .chunked, "hello", .ended(rest: 0))
    check(
      "5\r\nhello\r\nA\r\n0123456789\r\n0\r\n\r\n", .chunked, "hello0123456789", .ended(rest: 0))
    check("005\r\nhello\r\n000\r\n\r\n", .chunked, "hello", .ended(rest: 0))
    check("0000000000000005\r\nhello\r\n0\r\n\r\n", .chunked, "hello", .ended(rest: 0))
    check("2\r\n\r\n\r\n0\r\n\r\n", .chunked, "\r\n", .ended(rest: 0))
  }

  @Test func leavesTheNextMessageAlone() {
    check("1\r\na\r\n0\r\n\r\nGET", .chunked, "a", .ended(rest: 3))
    check("abGET", .length(2), "ab", .ended(rest: 3))
    check("GET", .none, "", .ended(rest: 3))
    check("GET", .length(0), "", .ended(rest: 3))
  }

  @Test func waitsForTheRest() {
    for text in ["", "5", "5\r", "5\r\n", "0\r\n", "0\r\n\r", "0\r\nA: b\r\n", "0\r\nA"] {
      check(text, .chunked, "", .open)
    }
    check("5\r\nhel", .chunked, "hel", .open)
    check("5\r\nhello", .chunked, "hello", .open)
    check("5\r\nhello\r\n", .chunked, "hello", .open)
    check("ab", .length(3), "ab", .open)
  }

  @Test func ignoresExtensions() {
    check("1;a\r\nx\r\n0;b=c\r\n\r\n", .chunked, "x", .ended(rest: 0))
    check("1;a=\"b;c\" ; d\r\nx\r\n0\r\n\r\n", .chunked, "x", .ended(rest: 0))
    check("1;\r\nx\r\n0\r\n\r\n", .chunked, "x", .ended(rest: 0))
  }

  @Test func dropsTrailers() {
    check("0\r\nA: b\r\n\r\n", .chunked, "", .ended(rest: 0))
    check("1\r\nx\r\n0\r\nA:\r\nContent-Length: 5\r\n\r\nGET", .chunked, "x", .ended(rest: 3))
  }

  @Test func rejectsBrokenSizes() {
    for text in [
      "\r\n", "x\r\n", "-1\r\n", "+1\r\n", " 1\r\n", "1 \r\n", "1\t\r\n", "0x1\r\n", "1\n", "1\rx",
      "1;a\n", "1;a\u{0}\r\n", "1;a\rb", ";a\r\n", "1,\r\n", "G\r\n",
      "00000000000000001\r\n", "8000000000000000\r\n", "fffffffffffffffff\r\n",
    ] {
      check(text, .chunked, "", .bad)
    }
  }

  @Test func acceptsTheLargestSize() {
    check("7fffffffffffffff\r\nab", .chunked, "ab", .open)
    check("FFFFFFFFFFFFFFF\r\nab", .chunked, "ab", .open)
  }

  @Test func rejectsBrokenChunkEnds() {
    for text in ["1\r\nab", "1\r\na\n", "1\r\na\rx", "1\r\na0\r\n\r\n", "1\r\na\r\n\r\n"] {
      check(text, .chunked, "a", .bad)
    }
  }

  @Test func rejectsBrokenTrailers() {
    for text in [
      "0\r\n\n", "0\r\n\rx", "0\r\nA\r\n", "0\r\n: b\r\n", "0\r\nA : b\r\n", "0\r\n A: b\r\n",
      "0\r\nA: b\n", "0\r\nA: b\rx", "0\r\nA: b\u{0}\r\n", "0\r\nA: b\r\n c\r\n", "0\r\n0\r\n\r\n",
      "0\r\nGET / HTTP/1.1\r\n",
    ] {
      check(text, .chunked, "", .bad)
    }
  }

  @Test func boundsExtensionsOverTheWholeBody() {
    let long = String(repeating: "a", count: Sizes.chunkLineByteCount - 1)
    let whole = [UInt8]("1;\(long)\r\nx\r\n0\r\n\r\n".utf8)
    #expect(decode([whole], .chunked).fate == .ended(rest: 0))
    let tooLong = [UInt8]("1;\(long)a\r\nx\r\n0\r\n\r\n".utf8)
    #expect(decode([tooLong], .chunked).fate == .bad)
    let many = [UInt8](String(repeating: "1;aaaaaaa\r\nx\r\n", count: 4000).utf8)
    #expect(decode([many], .chunked).fate == .bad)
  }

  @Test func boundsTrailers() {
    let fitting = [UInt8]("0\r\nA: \(String(repeating: "b", count: 8000))\r\n\r\n".utf8)
    #expect(decode([fitting], .chunked).fate == .ended(rest: 0))
    let tooLong = [UInt8]("0\r\nA: \(String(repeating: "b", count: 9000))\r\n\r\n".utf8)
    #expect(decode([tooLong], .chunked).fate == .bad)
    let many = [UInt8]("0\r\n\(String(repeating: "A: b\r\n", count: 2000))\r\n".utf8)
    #expect(decode([many], .chunked).fate == .bad)
  }

  @Test func readsUntilTheEnd() {
    check("", .untilClose, "", .open)
    check("abc\r\n0\r\n\r\n", .untilClose, "abc\r\n0\r\n\r\n", .open)
    #expect(BodyDecoder(.untilClose).endsAtClose)
    #expect(!BodyDecoder(.chunked).endsAtClose)
    #expect(!BodyDecoder(.length(1)).endsAtClose)
  }

  @Test func knowsWhetherItHasEnded() {
    #expect(BodyDecoder(.none).isEnded)
    #expect(BodyDecoder(.length(0)).isEnded)
    #expect(!BodyDecoder(.length(1)).isEnded)
    #expect(!BodyDecoder(.chunked).isEnded)
    var decoder = BodyDecoder(.length(1))
    var offset = 0
    let bytes: [UInt8] = [1, 2]
    let step = decoder.next(bytes.span, at: &offset)
    #expect(step == .data(0..<1))
    #expect(decoder.isEnded && offset == 1)
  }

  @Test func staysBroken() {
    var decoder = BodyDecoder(.chunked)
    for text in ["x", "0\r\n\r\n"] {
      let bytes = [UInt8](text.utf8)
      var offset = 0
      let step = decoder.next(bytes.span, at: &offset)
      #expect(step == .bad)
    }
  }
}
