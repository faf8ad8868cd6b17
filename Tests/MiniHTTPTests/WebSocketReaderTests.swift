// SPDX-License-Identifier: MIT
import Platform
import Testing

@testable import MiniHTTP

/// Frames of a server, whole, byte by byte and in pieces.
struct WebSocketReaderTests {
  /// What is reported, in words.
  private func read(_ bytes: [UInt8], step: Int, limit: Int = 1000) -> [String] {
    var reader = WebSocketReader(messageByteCount: limit)
    var reports: [String] = []
    var index = 0
    while index < bytes.count {
      let end = min(index + step, bytes.count)
      let slice = Array(bytes[index..<end])
      var offset = 0
      while true {
        let report = reader.next(slice.span, at: &offset)
        if report == .needMore {
          #expect(offset == slice.count)
          break
        }
        reports.append(describe(report, reader))
        if case .close = report { return reports }
        if case .bad = report { return reports }
      }
      index = end
    }
    return reports
  }

  private func describe(_ step: WebSocketReader.Step, _ reader: WebSocketReader) -> String {
    switch step {
    case .needMore: "more"
    case .text: "text \(reader.message.byteString.text)"
    case .ping: "ping \(reader.control.byteString.text)"
    case .pong: "pong \(reader.control.byteString.text)"
    case .close(let code): "close \(code)"
    case .bad(let code): "bad \(code)"
    }
  }

  private func check(
    _ frames: [[UInt8]], _ expected: [String], limit: Int = 1000,
    location: SourceLocation = #_sourceLocation
  ) {
    let bytes = Array(frames.joined())
    for step in [bytes.count, 1, 2, 3, 7] {
      #expect(read(bytes, step: step, limit: limit) == expected, sourceLocation: location)
    }
    // No prefix reports anything that the whole does not.
    for count in bytes.indices {
      let reports = read(Array(bytes[..<count]), step: max(1, count), limit: limit)
      #expect(reports == Array(expected.prefix(reports.count)), sourceLocation: location)
    }
  }

  private func check(_ frame: [UInt8], _ expected: String...) { check([frame], expected) }

  private let long = String(repeating: "x", count: 300)

  @Test func readsTextOfEveryLengthForm() {
    check(WebSocketFrames.text("Hello"), "text Hello")  // RFC 6455 §5.7
    check(WebSocketFrames.text(""), "text ")
    check(WebSocketFrames.text(long), "text \(long)")
    let longer = String(repeating: "y", count: 70_000)
    let bytes = WebSocketFrames.text(longer)
    #expect(read(bytes, step: 4096, limit: 70_000) == ["text \(longer)"])
    #expect(read(bytes, step: 1, limit: 70_000) == ["text \(longer)"])
  }

  @Test func joinsFragments() {
    check(
      [WebSocketFrames.text("Hel", isFinal: false), WebSocketFrames.frame(0, Array("lo".utf8))],
      ["text Hello"])
    check(
      [
        WebSocketFrames.text("", isFinal: false), WebSocketFrames.frame(0, [0xC3], isFinal: false),
        WebSocketFrames.frame(0, [0xA9]), WebSocketFrames.text("next"),
      ], ["text é", "text next"])
  }

  @Test func reportsControlFramesBetweenFragments() {
    check(
      [
        WebSocketFrames.text("a", isFinal: false), WebSocketFrames.frame(9, Array("p".utf8)),
        WebSocketFrames.frame(0, Array("b".utf8), isFinal: false), WebSocketFrames.frame(10),
        WebSocketFrames.frame(0, Array("c".utf8)), WebSocketFrames.frame(9),
      ], ["ping p", "pong ", "text abc", "ping "])
    check(
      [WebSocketFrames.text("a", isFinal: false), WebSocketFrames.close(1001)], ["close 1001"])
  }

  @Test func readsCloseFrames() {
    check(WebSocketFrames.frame(8), "close 1005")
    check(WebSocketFrames.close(1000), "close 1000")
    check(WebSocketFrames.close(3000, "schluß"), "close 3000")
    for code in [0, 999, 1004, 1005, 1006, 1015, 2999, 5000] {
      check(WebSocketFrames.close(code), "bad 1002")
    }
    check(WebSocketFrames.frame(8, [3]), "bad 1002")
    check(WebSocketFrames.frame(8, [3, 232, 0xFF]), "bad 1007")
  }

  @Test func readsNothingBehindACloseFrame() {
    var reader = WebSocketReader(messageByteCount: 10)
    let bytes = WebSocketFrames.close(1000) + WebSocketFrames.text("x")
    var offset = 0
    #expect(reader.next(bytes.span, at: &offset) == .close(1000))
    #expect(reader.next(bytes.span, at: &offset) == .close(1000))
    #expect(offset == 4)
  }

  @Test func refusesWhatAServerMustNotSend() {
    check(WebSocketFrames.frame(1, [0x61], mask: [1, 2, 3, 4]), "bad 1002")
    check([0xC1, 0x00], "bad 1002")  // RSV1 without an extension
    for opcode: UInt8 in [3, 4, 5, 6, 7, 11, 12, 13, 14, 15] {
      check(WebSocketFrames.frame(opcode), "bad 1002")
    }
    check(WebSocketFrames.frame(9, [], isFinal: false), "bad 1002")
    check(WebSocketFrames.frame(9, [UInt8](repeating: 0, count: 126)), "bad 1002")
    check(WebSocketFrames.frame(0, [0x61]), "bad 1002")
    check(
      [WebSocketFrames.text("a", isFinal: false), WebSocketFrames.text("b")], ["bad 1002"])
    check(WebSocketFrames.frame(2, [1]), "bad 1003")
  }

  @Test func refusesLengthsThatAreNotTheShortest() {
    check([0x81, 126, 0, 125], "bad 1002")
    check([0x81, 127, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF], "bad 1002")
    check([0x81, 127, 0x80, 0, 0, 0, 0, 1, 0, 0], "bad 1002")
  }

  @Test func refusesTextThatIsNotUTF8() {
    check(WebSocketFrames.frame(1, [0xC3]), "bad 1007")
    check(WebSocketFrames.frame(1, [0xED, 0xA0, 0x80]), "bad 1007")
    check(WebSocketFrames.frame(1, [0xC0, 0xAF]), "bad 1007")
    check(WebSocketFrames.frame(1, [0x61, 0x80]), "bad 1007")
  }

  @Test func refusesMessagesAboveTheLimitBeforeTheyCome() {
    check([WebSocketFrames.text(long)], ["text \(long)"], limit: 300)
    check([[0x81, 126, 1, 45]], ["bad 1009"], limit: 300)
    check([[0x81, 127, 0x7F, 255, 255, 255, 255, 255, 255, 255]], ["bad 1009"], limit: 300)
    check(
      [WebSocketFrames.text("abc", isFinal: false), WebSocketFrames.frame(0, [0x64, 0x65])],
      ["bad 1009"], limit: 4)
  }
}
