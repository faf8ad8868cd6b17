// SPDX-License-Identifier: MIT
import Platform

/// Where a setting was read, and with which precedence.
struct ConfigurationOrigin: Sendable {
  /// Earlier cases win over later ones.
  enum Layer: Sendable {
    case commandLine, environment, file, board, builtIn
  }

  let layer: Layer
  /// A file's path, `command line` or `environment`.
  let place: ByteString
  /// Line in the file, from 1; 0 elsewhere.
  let line: Int
  /// The name as it was written there: `port`, `--port`, `TINYGATEWAY_PORT`.
  let name: ByteString

  /// A `config.yaml` as a whole.
  static func file(_ path: ByteString) -> ConfigurationOrigin {
    ConfigurationOrigin(layer: .file, place: path, line: 0, name: .empty)
  }

  /// A board file as a whole.
  static func board(_ path: ByteString) -> ConfigurationOrigin {
    ConfigurationOrigin(layer: .board, place: path, line: 0, name: .empty)
  }

  /// A setting in this file.
  func at(line: Int, name: ByteString) -> ConfigurationOrigin {
    ConfigurationOrigin(layer: layer, place: place, line: line, name: name)
  }

  /// An option.
  static func commandLine(_ name: ByteString) -> ConfigurationOrigin {
    ConfigurationOrigin(layer: .commandLine, place: "command line", line: 0, name: name)
  }

  /// A variable.
  static func environment(_ name: ByteString) -> ConfigurationOrigin {
    ConfigurationOrigin(layer: .environment, place: "environment", line: 0, name: name)
  }

  /// A default.
  static func builtIn(_ name: ByteString) -> ConfigurationOrigin {
    ConfigurationOrigin(layer: .builtIn, place: "default", line: 0, name: name)
  }
}

/// One thing that is wrong, and what to write instead.
struct ConfigurationProblem: Sendable {
  let origin: ConfigurationOrigin
  let message: ByteString

  /// A problem with a message that `compose` appends.
  init(_ origin: ConfigurationOrigin, _ compose: (Buffer) -> Void) {
    self.origin = origin
    let buffer = Buffer()
    compose(buffer)
    message = buffer.byteString
  }

  /// A problem with a fixed message.
  init(_ origin: ConfigurationOrigin, _ message: StaticString) {
    self.origin = origin
    self.message = ByteString(message)
  }

  /// Appends `place:line: name: message`.
  func append(to buffer: Buffer) {
    buffer.append(origin.place)
    if origin.line > 0 {
      buffer.append(":")
      buffer.append(decimal: origin.line)
    }
    buffer.append(": ")
    if !origin.name.isEmpty {
      buffer.appendShown(origin.name)
      buffer.append(": ")
    }
    buffer.append(message)
  }
}

/// Everything that is wrong; the program does not start.
struct ConfigurationError: Error, Sendable {
  let problems: [ConfigurationProblem]

  /// One line for each problem.
  var text: ByteString {
    let buffer = Buffer()
    for problem in problems {
      problem.append(to: buffer)
      buffer.append("\n")
    }
    return buffer.byteString
  }
}

extension Buffer {
  /// Longest piece of somebody's text that a message repeats.
  private static let shownByteCount = 60

  /// Appends text from outside, shortened, control characters and invalid UTF-8 replaced.
  func appendShown(_ text: ByteString) {
    let shown = ByteString(Array(text.bytes.prefix(Buffer.shownByteCount)))
    let safe = shown.isUTF8 ? shown : ByteString(utf8: shown.text)
    for byte in safe.bytes { append(byte < 0x20 || byte == 0x7F ? UInt8(ascii: "?") : byte) }
    if shown.count < text.count { append("…") }
  }

  /// Appends text from outside between quotation marks.
  func appendQuoted(_ text: ByteString) {
    append("\"")
    appendShown(text)
    append("\"")
  }
}
