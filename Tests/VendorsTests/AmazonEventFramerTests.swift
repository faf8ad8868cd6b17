// SPDX-License-Identifier: MIT
import Platform
import Testing

@testable import Vendors

/// AWS event streams, whole, by bytes and broken.
struct AmazonEventFramerTests {
  /// The events, in words, and whether the stream was sound to its end.
  private func read(_ bytes: [UInt8], _ cuts: [Int]) -> ([String], Bool) {
    let framer = StreamFraming.amazonEvents.makeFramer()
    var events: [StreamEvent] = []
    var isSound = true
    for (from, to) in zip([0] + cuts, cuts + [bytes.count]) {
      let piece = Array(bytes[from..<to])
      isSound = framer.read(piece.span, into: &events) && isSound
    }
    isSound = framer.end(into: &events) && isSound
    return (events.map { "\($0.name.text)=\($0.data.text)" }, isSound)
  }

  private func check(
    _ bytes: [UInt8], _ expected: [String], isSound: Bool = true,
    location: SourceLocation = #_sourceLocation
  ) {
    for cuts in DialectFixture.cuttings(bytes.count) {
      let (events, sound) = read(bytes, cuts)
      #expect(events == expected && sound == isSound, sourceLocation: location)
    }
  }

  @Test func readsTheWorkedFrame() throws {
    let frame = try #require(
      Digest.unhex(
        """
        0000007a00000051ca2c46650b3a6576656e742d7479706507000b6d65737361676553746f700d3a636f\
        6e74656e742d747970650700106170706c69636174696f6e2f6a736f6e0d3a6d6573736167652d747970\
        650700056576656e747b2273746f70526561736f6e223a22656e645f7475726e227d5fbf09fc
        """)
    ).bytes
    let payload = #"{"stopReason":"end_turn"}"#
    check(frame, ["messageStop=\(payload)"])
    #expect(AmazonEvents.event("messageStop", payload) == frame)
    check(frame + frame, ["messageStop=\(payload)", "messageStop=\(payload)"])
  }

  @Test func readsExceptionsAndErrors() {
    check(
      AmazonEvents.exception("throttlingException", "slow down"),
      [#"exception:throttlingException={"message":"slow down"}"#])
    let error =
      AmazonEvents.header(":message-type", "error")
      + AmazonEvents.header(":error-code", "InternalError")
      + AmazonEvents.header(":error-message", "oh")
    check(AmazonEvents.frame(headers: error, payload: []), ["error:InternalError=oh"])
  }

  @Test func skipsHeadersOfEveryType() {
    let lengths: [(UInt8, Int)] = [
      (0, 0), (1, 0), (2, 1), (3, 2), (4, 4), (5, 8), (8, 8), (9, 16),
    ]
    var headers: [UInt8] = []
    for (type, count) in lengths {
      headers += [1, 0x61, type] + [UInt8](repeating: 7, count: count)
    }
    headers += [1, 0x61, 6, 0, 3, 1, 2, 3] + AmazonEvents.header(":event-type", "x")
    check(AmazonEvents.frame(headers: headers, payload: [0x79]), ["x=y"])
    check(AmazonEvents.frame(headers: [], payload: []), ["="])
  }

  @Test func refusesEveryFlippedBit() {
    let first = AmazonEvents.event("a", "{}")
    let second = AmazonEvents.event("b", "{}")
    for index in second.indices {
      for bit: UInt8 in [0, 7] {
        var altered = second
        altered[index] ^= 1 << bit
        let (events, isSound) = read(first + altered, [])
        #expect(events == ["a={}"] && !isSound)
      }
    }
  }

  @Test func refusesWrongLengths() {
    check(AmazonEvents.frame(headers: [], payload: [], total: 15), [], isSound: false)
    check(AmazonEvents.frame(headers: [], payload: [], total: 0), [], isSound: false)
    check(AmazonEvents.frame(headers: [], payload: [], headerCount: 1), [], isSound: false)
    check(AmazonEvents.frame(headers: [], payload: [], headerCount: -1), [], isSound: false)
    for total in [StreamFraming.eventByteLimit + 1, Int(Int32.max), Int(UInt32.max)] {
      check(AmazonEvents.frame(headers: [], payload: [], total: total), [], isSound: false)
    }
  }

  @Test func refusesHeadersThatEndTooLate() {
    for headers: [UInt8] in [
      [1], [1, 0x61], [200, 0x61, 7], [1, 0x61, 7], [1, 0x61, 7, 0], [1, 0x61, 7, 0, 2, 0x62],
      [1, 0x61, 5, 1, 2, 3], [1, 0x61, 10], [1, 0x61, 255, 0, 0],
    ] {
      check(AmazonEvents.frame(headers: headers, payload: [1, 2]), [], isSound: false)
    }
  }

  @Test func refusesAStreamThatEndsWithinAFrame() {
    let frame = AmazonEvents.event("a", "{}")
    for count in 1..<frame.count {
      let (events, isSound) = read(Array(frame[..<count]), [])
      #expect(events.isEmpty && !isSound)
    }
    #expect(read([], []).1)
  }
}
