// SPDX-License-Identifier: MIT
import Platform
import Testing

@testable import MiniHTTP

struct EventStreamParserTests {
  /// The events of a stream that arrives in slices, and what is left behind the last one.
  private func split(_ slices: [[UInt8]]) -> (events: [String], rest: Int) {
    var parser = EventStreamParser()
    let buffer = Buffer()
    var events: [String] = []
    for slice in slices {
      slice.withUnsafeBytes { buffer.append($0) }
      while let count = buffer.withReadable({ parser.nextEvent($0) }) {
        let event = [UInt8](buffer.readable[..<count])
        let known = parser.dataRange(event.span)
        if known != EventStreamParser.dataRange(event.span) { Issue.record("data of \(event)") }
        events.append(String(decoding: event, as: UTF8.self))
        buffer.consume(count)
      }
    }
    return (events, buffer.count)
  }

  /// Whole, byte by byte and cut in two at every place.
  private func check(
    _ text: String, _ expected: [String], rest: Int = 0,
    location: SourceLocation = #_sourceLocation
  ) {
    let bytes = [UInt8](text.utf8)
    var cuts = [[bytes], bytes.map { [$0] }]
    for cut in 0...bytes.count { cuts.append([Array(bytes[..<cut]), Array(bytes[cut...])]) }
    for slices in cuts {
      let found = split(slices)
      #expect(found.events == expected, sourceLocation: location)
      #expect(found.rest == rest, sourceLocation: location)
    }
  }

  @Test func splitsAtEmptyLines() {
    check("data: a\n\n", ["data: a\n\n"])
    check("data: a\n\ndata: b\n\n", ["data: a\n\n", "data: b\n\n"])
    check("event: x\ndata: a\nid: 1\n\n", ["event: x\ndata: a\nid: 1\n\n"])
  }

  @Test func knowsAllLineEnds() {
    check("data: a\r\n\r\ndata: b\r\n\r\n", ["data: a\r\n\r\n", "data: b\r\n\r\n"])
    check("data: a\r\rdata: b\r\rx", ["data: a\r\r", "data: b\r\r"], rest: 1)
    check("data: a\n\r\ndata: b\r\n\n", ["data: a\n\r\n", "data: b\r\n\n"])
    check("data: a\r\n\rdata: b\n\n", ["data: a\r\n\r", "data: b\n\n"])
  }

  @Test func waitsForTheEmptyLine() {
    check("", [])
    check("data: a", [], rest: 7)
    check("data: a\n", [], rest: 8)
    check("data: a\r\n", [], rest: 9)
    check("data: a\n\ndata: b\n", ["data: a\n\n"], rest: 8)
  }

  /// A LF that may follow belongs to the CR.
  @Test func waitsBehindACarriageReturn() {
    check("data: a\r\n\r", [], rest: 10)
    check("data: a\r\r", [], rest: 9)
  }

  @Test func passesCommentsAndMarksThrough() {
    check(": hello\n\n", [": hello\n\n"])
    check(":\n\ndata: a\n\n", [":\n\n", "data: a\n\n"])
    check("\u{FEFF}data: a\n\n", ["\u{FEFF}data: a\n\n"])
  }

  @Test func passesSeveralEmptyLinesThrough() {
    check("data: a\n\n\n\ndata: b\n\n", ["data: a\n\n", "\n\n", "data: b\n\n"])
    check("\ndata: a\n\n", ["\ndata: a\n\n"])
  }

  private func checkData(_ event: String, _ expected: String?) {
    let bytes = [UInt8](event.utf8)
    let range = EventStreamParser.dataRange(bytes.span)
    let found = range.map { String(decoding: bytes[$0], as: UTF8.self) }
    #expect(found == expected, "\(event)")
  }

  @Test func findsTheData() {
    checkData("data: {\"a\":1}\n\n", "{\"a\":1}")
    checkData("data:a\n\n", "a")
    checkData("data:  a\n\n", " a")
    checkData("data:\n\n", "")
    checkData("data: \n\n", "")
    checkData("data: a\r\n\r\n", "a")
    checkData("data: a\r\r", "a")
    checkData("event: x\r\ndata: a\r\n\r\n", "a")
    checkData(": comment\ndata: a\n\n", "a")
    checkData("\u{FEFF}data: a\n\n", "a")
    checkData("\ndata: a\n\n", "a")
    checkData("data: [DONE]", "[DONE]")
    checkData("data: a\ndata: b\n\n", "a")
  }

  @Test func findsNoDataElsewhere() {
    checkData("", nil)
    checkData("\n\n", nil)
    checkData(": data: a\n\n", nil)
    checkData("xdata: a\n\n", nil)
    checkData("event: data: a\n\n", nil)
    checkData("Data: a\n\n", nil)
    checkData("dat", nil)
  }
}
