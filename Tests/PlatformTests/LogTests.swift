// SPDX-License-Identifier: MIT
import Glibc
import Testing

@testable import Platform

/// A log that writes into a socket.
final class LogTests {
  private var ends: [Int32] = [-1, -1]

  init() {
    let kind = Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue)
    #expect(socketpair(AF_UNIX, kind, 0, &ends) == 0)
  }

  deinit { for end in ends { close(end) } }

  private func makeLog(_ level: LogLevel) -> Log { Log(level: level, descriptor: ends[1]) }

  /// What has been written, without the time at the start of each line.
  private func lines() -> [String] {
    var bytes = [UInt8](repeating: 0, count: 65536)
    let count = max(0, read(ends[0], &bytes, bytes.count))
    let text = String(decoding: bytes[..<count], as: UTF8.self)
    let timeCount = "2026-01-01 00:00:00 ".count
    return text.split(separator: "\n").map { String($0.dropFirst(timeCount)) }
  }

  @Test func writesOneLinePerEvent() {
    let log = makeLog(.debug)
    log.debug("one")
    log.info("two")
    log.flush()
    #expect(lines() == ["debug one", "info two"])
  }

  @Test func gathersUpToInfo() {
    let log = makeLog(.info)
    log.info("one")
    #expect(log.hasPending)
    #expect(lines().isEmpty)
    log.warn("two")
    #expect(!log.hasPending)
    #expect(lines() == ["info one", "warn two"])
    log.error("three")
    #expect(lines() == ["error three"])
  }

  @Test func writesBeforeTooMuchIsGathered() {
    let log = makeLog(.info)
    for _ in 0..<200 { log.info("a line of some length, so that they add up") }
    #expect(!lines().isEmpty)
  }

  @Test func doesNotComposeWhatIsNotWritten() {
    let log = makeLog(.warn)
    var composed = 0
    log.write(.info) { _ in composed += 1 }
    log.write(.warn) { _ in composed += 1 }
    #expect(composed == 1)
    log.level = .error
    #expect(log.level == .error)
    log.warn("no")
    log.level = .debug
    log.debug("yes")
    log.flush()
    #expect(lines() == ["warn ", "debug yes"])
  }

  @Test func masksSecretsAndLineBreaks() {
    let log = makeLog(.info)
    log.warn("key=abcdefghijkl\nforged line")
    #expect(lines() == ["warn key=abc*** forged line"])
  }

  @Test func survivesAReaderThatDoesNotRead() {
    let log = makeLog(.info)
    let piece = String(repeating: "x", count: 1000)
    for _ in 0..<1000 { log.warn(piece) }
    #expect(!log.hasPending)
  }

  @Test func parsesLevels() {
    for (text, expected): (ByteString, LogLevel?) in [
      ("debug", .debug), ("info", .info), ("warn", .warn), ("error", .error), ("Info", nil),
      ("", nil), ("warning", nil),
    ] {
      #expect(LogLevel(text) == expected)
    }
    #expect(LogLevel.debug < .info && LogLevel.info < .warn && LogLevel.warn < .error)
  }
}
