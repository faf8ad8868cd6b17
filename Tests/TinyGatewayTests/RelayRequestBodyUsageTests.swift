// SPDX-License-Identifier: MIT
import Platform
import Testing

@testable import TinyGateway

/// A stream's usage is asked for where the client did not, whatever its `stream_options` are.
struct RelayRequestBodyUsageTests {
  private typealias Edits = RelayRequestBodyEditTests

  @Test func asksForUsageOfAStream() throws {
    try Edits.check(
      #"{"model":"a","stream":true}"#, becomes: #"{"model":"a","stream":true,\#(Edits.added)}"#,
      hidesUsage: true)
    try Edits.check(
      "{\"stream\":true,\"model\":\"a\" \n} ",
      becomes: "{\"stream\":true,\"model\":\"a\" \n,\(Edits.added)} ", hidesUsage: true)
    try Edits.check(
      #"{"model":"a","messages":[{"x":"}"}],"stream":true,"n":1.0}"#, as: "b",
      becomes: #"{"model":"b","messages":[{"x":"}"}],"stream":true,"n":1.0,\#(Edits.added)}"#,
      hidesUsage: true)
  }

  @Test func leavesUsageToAClientThatAsksForIt() throws {
    for options in [
      #"{"include_usage":true}"#, #"{ "include_usage" : true , "x":1 }"#,
      #"{"include_obfuscation":false,"include_usage":true}"#,
    ] {
      let text = "{\"model\":\"a\",\"stream\":true,\"stream_options\":\(options)}"
      try Edits.check(text, becomes: text)
      let early = "{\"stream_options\":\(options),\"stream\":true,\"model\":\"a\"}"
      try Edits.check(early, becomes: early)
    }
  }

  /// The client's options, and what they become.
  private static let options: [(String, String)] = [
    ("{}", #"{"include_usage":true}"#), ("null", #"{"include_usage":true}"#),
    (#"{"include_usage":false}"#, #"{"include_usage":true}"#),
    (#"{"include_usage":null}"#, #"{"include_usage":true}"#),
    (#"{ "x" : 1.0 }"#, #"{ "x" : 1.0 ,"include_usage":true}"#),
  ]

  @Test func completesTheClientsOptions() throws {
    for (options, completed) in Self.options {
      func text(_ options: String) -> String {
        "{\"model\":\"a\",\"stream\":true,\"stream_options\":\(options),\"n\":1}"
      }
      try Edits.check(text(options), becomes: text(completed), hidesUsage: true, streams: false)
    }
  }

  /// Starts to stream a body with each of the options, from every byte between the bounds, which
  /// are told where the options are.
  private func checkStreaming(
    _ bounds: (Range<Int>, Int) -> ClosedRange<Int>, _ location: SourceLocation = #_sourceLocation
  ) throws {
    let (before, after) = (#"{"model":"a","stream":true,"stream_options":"#, #","n":1}"#)
    for (options, completed) in Self.options {
      let text = before + options + after
      let range = before.utf8.count..<(before.utf8.count + options.utf8.count)
      var failures: [Int] = []
      for start in bounds(range, text.utf8.count) {
        let passed = try #require(try Edits.passed(text, from: start, byteByByte: false))
        let isCompleted = passed.text == before + completed + after && passed.hidesUsage
        if !isCompleted { failures.append(start) }
      }
      #expect(failures.isEmpty, "\(options) streamed from there", sourceLocation: location)
    }
  }

  @Test func completesOptionsThatComeWhileTheBodyStreams() throws {
    try checkStreaming { options, _ in 12...options.lowerBound }
  }

  @Test func completesOptionsThatAreStillHeldWhenTheBodyBeginsToStream() throws {
    try checkStreaming { options, count in (options.upperBound + 1)...count }
  }

  /// Where options have left already it is too late; then the client sees all usage there is.
  @Test func hidesUsageOnlyWhereItAskedForIt() throws {
    for (options, completed) in Self.options {
      for (before, after) in [
        (#"{"model":"a","stream":true,"stream_options":"#, #","n":1}"#),
        (#"{"model":"a","stream_options":"#, #","n":1,"stream":true}"#),
        (#"{"stream_options":"#, #","model":"a","stream":true}"#),
      ] {
        let text = before + options + after
        for start in 0...text.utf8.count {
          for byteByByte in [false, true] {
            guard let passed = try Edits.passed(text, from: start, byteByByte: byteByByte)
            else { continue }
            let expected = before + (passed.hidesUsage ? completed : options) + after
            #expect(passed.text == expected, "from \(start)")
          }
        }
      }
    }
  }

  @Test func asksForNoUsageWhereNothingStreams() throws {
    for text in [
      #"{"model":"a","stream":true,"input":"x"}"#, #"{"model":"a","stream":5,"input":"x"}"#,
      #"{"model":"a","stream":true,"stream_options":{},"input":"x"}"#,
    ] {
      for start in 11...text.utf8.count {
        let passed = try Edits.passed(text, from: start, byteByByte: true, canStream: false)
        #expect(passed.map { $0.text == text && !$0.hidesUsage } != false, "from \(start)")
      }
    }
  }

  @Test(arguments: ["5", "true", "\"include_usage\"", "[]"])
  func refusesOptionsThatAreNoObject(_ options: String) {
    do throws(RelayError) {
      _ = try Edits.held("{\"model\":\"a\",\"stream\":true,\"stream_options\":\(options)}")
      Issue.record("accepted \(options)")
    } catch {
      #expect(error.status == 400)
      #expect(error.param?.text == "stream_options")
    }
  }
}
