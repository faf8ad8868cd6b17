// SPDX-License-Identifier: MIT
import Platform
import Store

/// Header lines that tell how a relayed answer came about.
enum AnswerHeaders {
  static func append(attempts: Int, to fields: Buffer) {
    fields.append("X-TinyGateway-Attempts: ")
    fields.append(decimal: attempts)
    fields.append("\r\n")
  }

  /// The public model that served.
  static func append(model: ByteString, to fields: Buffer) {
    fields.append("X-TinyGateway-Model: ")
    fields.append(model)
    fields.append("\r\n")
  }

  /// The channel's name; bytes that a header must not hold become question marks.
  static func append(channel: ByteString, to fields: Buffer) {
    fields.append("X-TinyGateway-Channel: ")
    for byte in channel.bytes {
      fields.append(byte >= 0x20 && byte < 0x7F ? byte : UInt8(ascii: "?"))
    }
    fields.append("\r\n")
  }
}

extension Relay {
  /// Appends what every relayed answer tells.
  func appendAnswerHeaders(to fields: Buffer) {
    RequestID.appendHeaders(requestID, to: fields)
    AnswerHeaders.append(attempts: attempts, to: fields)
    AnswerHeaders.append(model: route.model, to: fields)
    rateStatus?.append(to: fields)
    if gateway.configuration.exposesChannel, let channel {
      AnswerHeaders.append(channel: channel.record.name, to: fields)
    }
  }
}
