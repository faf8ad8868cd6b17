// SPDX-License-Identifier: MIT
import Platform

/// Asks a server to turn an HTTP connection into a WebSocket, and checks what it says (RFC 6455
/// §4).
enum WebSocketHandshake {
  private static let uniqueID: ByteString = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

  /// A key for `Sec-WebSocket-Key`: 16 random bytes.
  static func makeKey() -> ByteString { Digest.base64(Random.bytes(16)) }

  /// What a server must answer to a key.
  static func accept(for key: ByteString) -> ByteString {
    Digest.base64(Digest.sha1(key + uniqueID))
  }

  /// Appends the head of the request.
  ///
  /// `path`: with its query.
  /// `headerLines`: further header lines, each with its line end.
  static func appendHead(
    path: ByteString, authority: ByteString, key: ByteString, headerLines: ByteString,
    to buffer: Buffer
  ) {
    buffer.append("GET ")
    buffer.append(path)
    buffer.append(" HTTP/1.1\r\nHost: ")
    buffer.append(authority)
    buffer.append("\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: ")
    buffer.append(key)
    buffer.append("\r\nSec-WebSocket-Version: 13\r\n")
    buffer.append(headerLines)
    buffer.append("\r\n")
  }

  /// Whether an answer with status 101 opens the WebSocket that was asked for with the key.
  static func isAccepted(_ head: ResponseHead, key: ByteString) -> Bool {
    guard head.count(of: "upgrade") == 1, let upgrade = head.range(of: "upgrade"),
      head.withBytes(upgrade, { $0.equalsIgnoringCase("websocket") }),
      head.contains(token: "upgrade", in: .connection),
      head.count(of: "sec-websocket-accept") == 1,
      head.value(of: "sec-websocket-accept") == accept(for: key)
    else { return false }
    // Neither was offered, so neither may be chosen.
    return head.count(of: "sec-websocket-extensions") == 0
      && head.count(of: "sec-websocket-protocol") == 0
  }
}
