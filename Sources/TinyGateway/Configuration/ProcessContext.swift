// SPDX-License-Identifier: MIT
import CPlatform
import Platform

/// What the process was started with, and the few questions to the system that settings need.
enum ProcessContext {
  /// Longest command line that is read, bytes.
  private static let commandLineByteCount = 128 * 1024

  /// The command line, the program's name first.
  static var arguments: [ByteString] {
    let content = Buffer()
    while content.count < commandLineByteCount {
      content.clear()
      let room = content.reservedByteCount < 4096 ? 4096 : content.reservedByteCount * 2
      let got = content.appendUsing(minimum: room) {
        Int(cp_command_line($0.baseAddress, Int64($0.count)))
      }
      if got <= 0 { return [] }
      if got < content.reservedByteCount { break }
    }
    var arguments: [ByteString] = []
    var current: [UInt8] = []
    for byte in content.readable {
      if byte == 0 {
        arguments.append(ByteString(current))
        current = []
      } else {
        current.append(byte)
      }
    }
    return arguments
  }

  /// The environment, `NAME=value` each.
  static var environment: [ByteString] {
    var entries: [ByteString] = []
    while let entry = ByteString(cString: cp_environment_entry(Int32(entries.count))) {
      entries.append(entry)
    }
    return entries
  }

  /// Writes to standard output (1) or standard error (2); gives up when nobody reads.
  static func write(_ text: ByteString, to descriptor: Int32) {
    text.withBytes { raw in
      var written = 0
      while let base = raw.baseAddress, written < raw.count {
        let put = cp_write(descriptor, base + written, raw.count - written)
        if put <= 0 { return }
        written += Int(put)
      }
    }
  }

  /// Why a file cannot be read; nil when it can.
  static func readingFailure(_ path: ByteString) -> SystemError? {
    let kind = path.withCString { cp_is_directory($0) }
    if kind == 1 { return SystemError(result: -21, call: "open") }  // EISDIR
    let descriptor = path.withCString { cp_open($0, Int32(CP_READ), 0) }
    if descriptor < 0 { return SystemError(result: descriptor, call: "open") }
    _ = cp_close(descriptor)
    return nil
  }
}
