// SPDX-License-Identifier: MIT
import CPlatform

/// How much is logged.
package enum LogLevel: Int, Comparable, Sendable {
  case debug, info, warn, error

  package static func < (left: LogLevel, right: LogLevel) -> Bool {
    left.rawValue < right.rawValue
  }

  /// Parses `debug|info|warn|error`; nil for anything else.
  package init?(_ text: ByteString) {
    if text == "debug" {
      self = .debug
    } else if text == "info" {
      self = .info
    } else if text == "warn" {
      self = .warn
    } else if text == "error" {
      self = .error
    } else {
      return nil
    }
  }

  fileprivate var label: StaticString {
    switch self {
    case .debug: "debug"
    case .info: "info"
    case .warn: "warn"
    case .error: "error"
    }
  }
}

/// One line per event on standard output, `time level message key=value`.
///
/// Lines up to `info` are gathered and written together, so that a busy gateway does not pay one
/// system call per request; `warn` and `error` leave at once. Secrets are masked here and
/// nowhere else (`LogRedaction`). Any thread may log, and none ever waits for a reader: lines that
/// nobody reads are kept within a bound, then dropped and counted.
package final class Log: @unchecked Sendable {
  private static let gatheredByteCount = 4096
  /// What may wait for a reader.
  private static let keptByteCount = 16 * 1024
  /// What a pipe takes without blocking once it says that it is writable: PIPE_BUF.
  private static let writtenByteCount = 4096
  private let lock = Lock()
  private let pending = Buffer()
  private let line = Buffer()
  private let descriptor: Int32
  private var currentLevel: LogLevel
  /// Lines dropped since a reader was last told of them.
  private var lostCount: Int64 = 0

  /// Makes a log that writes to a descriptor, 1 being standard output.
  package init(level: LogLevel, descriptor: Int32 = 1) {
    currentLevel = level
    self.descriptor = descriptor
  }

  /// The least level that is written.
  package var level: LogLevel {
    get { lock.locked { currentLevel } }
    set { lock.locked { currentLevel = newValue } }
  }

  /// Whether lines wait for `flush()`.
  package var hasPending: Bool { lock.locked { !pending.isEmpty } }

  /// Writes one line; `compose` appends the message, and is not called below the level.
  package func write(_ level: LogLevel, _ compose: (Buffer) -> Void) {
    lock.locked {
      guard level >= currentLevel else { return }
      line.clear()
      appendStart(level, to: line)
      let messageStart = line.count
      compose(line)
      guard makeRoom(for: line.count) else {
        lostCount += 1
        return
      }
      LogRedaction.append(line, from: messageStart, to: pending)
      pending.append(UInt8(ascii: "\n"))
      if level >= .warn || pending.count >= Log.gatheredByteCount { writePending() }
    }
  }

  package func debug(_ message: @autoclosure () -> String) {
    write(.debug) { $0.append(text: message()) }
  }
  package func info(_ message: @autoclosure () -> String) {
    write(.info) { $0.append(text: message()) }
  }
  package func warn(_ message: @autoclosure () -> String) {
    write(.warn) { $0.append(text: message()) }
  }
  package func error(_ message: @autoclosure () -> String) {
    write(.error) { $0.append(text: message()) }
  }

  /// Writes what is gathered.
  package func flush() { lock.locked { writePending() } }

  /// Whether a line may wait; after a loss not before all that waits is read, so that what a
  /// reader gets has one gap and not many.
  private func makeRoom(for byteCount: Int) -> Bool {
    if lostCount == 0, hasRoom(for: byteCount) { return true }
    writePending()
    return lostCount == 0 && hasRoom(for: byteCount)
  }

  private func hasRoom(for byteCount: Int) -> Bool {
    pending.isEmpty || pending.count + byteCount <= Log.keptByteCount
  }

  /// Writes what is taken now.
  ///
  /// The descriptor is shared with whoever started the program, so it must not be made
  /// non-blocking. It is asked before each write, which is short enough for any answer but "full".
  private func writePending() {
    while true {
      if pending.isEmpty, lostCount > 0 { appendLoss() }
      guard !pending.isEmpty else { break }
      let writable = cp_can_write(descriptor)
      if writable == 0 { return }
      let count = min(pending.count, Log.writtenByteCount)
      let written =
        writable < 0
        ? Int64(writable) : cp_write(descriptor, pending.readable.baseAddress, count)
      if written == -Int64(cp_eagain) { return }
      if written <= 0 {  // The reader is gone, or the disk is full: serving goes on.
        pending.clear()
        lostCount = 0
        break
      }
      pending.consume(Int(written))
    }
    if pending.reservedByteCount > Log.keptByteCount { pending.release() }
  }

  private func appendLoss() {
    appendStart(.warn, to: pending)
    pending.append(decimal: lostCount)
    pending.append(" log lines were lost because nobody read them\n")
    lostCount = 0
  }

  private func appendStart(_ level: LogLevel, to line: Buffer) {
    var fields: (Int32, Int32, Int32, Int32, Int32, Int32) = (0, 0, 0, 0, 0, 0)
    let milliseconds = cp_wall_milliseconds()
    withUnsafeMutableBytes(of: &fields) {
      cp_local_time(milliseconds / 1000, $0.bindMemory(to: Int32.self).baseAddress)
    }
    line.append(decimal: Int(fields.0))
    line.append(UInt8(ascii: "-"))
    line.append(twoDigits: Int(fields.1))
    line.append(UInt8(ascii: "-"))
    line.append(twoDigits: Int(fields.2))
    line.append(UInt8(ascii: " "))
    line.append(twoDigits: Int(fields.3))
    line.append(UInt8(ascii: ":"))
    line.append(twoDigits: Int(fields.4))
    line.append(UInt8(ascii: ":"))
    line.append(twoDigits: Int(fields.5))
    line.append(UInt8(ascii: " "))
    line.append(level.label)
    line.append(UInt8(ascii: " "))
  }
}
