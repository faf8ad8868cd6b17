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
  private func lines() -> [String] { split(available(ends[0])) }

  /// What can be read now.
  private func available(_ descriptor: Int32) -> [UInt8] {
    var waiting: Int32 = 0
    #expect(ioctl(descriptor, UInt(FIONREAD), &waiting) == 0)
    var bytes = [UInt8](repeating: 0, count: Int(waiting))
    return waiting == 0 ? [] : Array(bytes[..<read(descriptor, &bytes, bytes.count)])
  }

  private func split(_ bytes: [UInt8]) -> [String] {
    let text = String(decoding: bytes, as: UTF8.self)
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

  @Test func keepsAndCountsWhatAReaderDoesNotTake() throws {
    let log = makeLog(.info)
    let piece = String(repeating: "x", count: 1000)
    for _ in 0..<1000 { log.warn(piece) }
    #expect(log.hasPending)
    let text = readAll(from: ends[0], flushing: log)
    #expect(text.dropLast().allSatisfy { $0 == "warn " + piece })
    let told = try #require(lossTold(by: text.last ?? ""))
    #expect(text.count > 16 && text.count - 1 + told == 1000)
    #expect(!log.hasPending)
  }

  /// A pipe blocks its writer once it is full, and must not be made non-blocking: whoever else
  /// has it, such as the shell, would be changed with it.
  @Test func neverWaitsForAPipeThatNobodyReads() throws {
    var pipe: [Int32] = [-1, -1]
    #expect(Glibc.pipe(&pipe) == 0)
    defer { for end in pipe { close(end) } }
    let (log, writing) = (Log(level: .info, descriptor: pipe[1]), Lock())
    nonisolated(unsafe) var isDone = false
    try Thread.start("writer") {
      for number in 0..<3000 { log.info("line \(number) of some length, so that they add up") }
      log.flush()
      writing.locked {
        isDone = true
        writing.signal()
      }
    }
    let end = Instant.now.advanced(byMilliseconds: 10_000)
    writing.locked { while !isDone, Instant.now < end { writing.wait(milliseconds: 100) } }
    #expect(writing.locked { isDone }, "the log waits for a reader")
    while !writing.locked({ isDone }) { _ = available(pipe[0]) }
    #expect(fcntl(pipe[1], F_GETFL) & O_NONBLOCK == 0)

    let text = readAll(from: pipe[0], flushing: log)
    for (number, line) in text.dropLast().enumerated() {
      #expect(line == "info line \(number) of some length, so that they add up")
    }
    let told = try #require(lossTold(by: text.last ?? ""))
    #expect(text.count - 1 + told == 3000)
    log.warn("again")
    #expect(readAll(from: pipe[0], flushing: log) == ["warn again"])
  }

  @Test func forgetsWhatIsWrittenToAReaderThatIsGone() {
    var pipe: [Int32] = [-1, -1]
    #expect(Glibc.pipe(&pipe) == 0)
    signal(SIGPIPE, SIG_IGN)
    close(pipe[0])
    defer { close(pipe[1]) }
    let log = Log(level: .info, descriptor: pipe[1])
    log.warn("nobody will see this")
    #expect(!log.hasPending)
  }

  /// How many lines a line says are lost; nil when it says something else.
  private func lossTold(by line: String) -> Int? {
    let told = " log lines were lost because nobody read them"
    guard line.hasPrefix("warn "), line.hasSuffix(told) else { return nil }
    return Int(line.dropFirst(5).dropLast(told.count))
  }

  /// Everything that comes until nothing comes after a flush.
  private func readAll(from descriptor: Int32, flushing log: Log) -> [String] {
    var (text, isOver) = ([UInt8](), false)
    while !isOver {
      log.flush()
      let more = available(descriptor)
      text += more
      isOver = more.isEmpty
    }
    return split(text)
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
