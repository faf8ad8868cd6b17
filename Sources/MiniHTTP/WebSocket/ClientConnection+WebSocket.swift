// SPDX-License-Identifier: MIT
import Platform

/// What a connection needs for a WebSocket, from the request on.
final class WebSocketClient {
  let key = WebSocketHandshake.makeKey()
  var reader = WebSocketReader(messageByteCount: Sizes.webSocketMessageByteCount)
  /// Frames for when the server has agreed.
  let waiting = Buffer()
  var isOpen = false
  /// Whether a message has come.
  var hasReceived = false
}

/// A WebSocket in the place of one exchange.
///
/// The exchange gets the head with status 101, then each text message whole in one call of
/// `receivedBody`, and `answerEnded` when the server closes in order, whatever code it gives. Any
/// other status is an ordinary answer. The connection is not used again.
extension ClientConnection {
  /// Asks for a WebSocket; once, right after `lease`, in the place of a request.
  ///
  /// `path`: with its query.
  /// `headerLines`: further header lines, each with its line end.
  package func upgrade(path: ByteString, headerLines: ByteString = .empty) {
    let client = WebSocketClient()
    webSocket = client
    WebSocketHandshake.appendHead(
      path: path, authority: target.url.authority, key: client.key, headerLines: headerLines,
      to: outgoing)
  }

  /// Sends a text message, when the server has agreed and at once from then on.
  package func send(text: UnsafeRawBufferPointer) {
    guard let webSocket else { return }
    sendFrame(.text, text, to: webSocket.isOpen ? outgoing : webSocket.waiting)
  }

  /// Whether the server has agreed to a WebSocket.
  package var isWebSocket: Bool { webSocket?.isOpen == true }

  /// Opens the WebSocket after an answer with status 101; false when it was not asked for so.
  func openWebSocket(_ head: ResponseHead) -> Bool {
    guard let webSocket else { return true }
    guard WebSocketHandshake.isAccepted(head, key: webSocket.key) else { return false }
    webSocket.isOpen = true
    outgoing.append(contentsOf: webSocket.waiting)
    webSocket.waiting.release()
    return true
  }

  /// Uses bytes of frames; false when nothing more can be done with these.
  func useFrames(_ webSocket: WebSocketClient, _ bytes: Span<UInt8>, _ offset: inout Int) -> Bool {
    switch webSocket.reader.next(bytes, at: &offset) {
    case .needMore: return false
    case .pong: return true
    case .ping:
      // Who sends pings and takes no pongs gets no more of them.
      if queuedByteCount < pool.limits.queuedByteCount {
        sendFrame(.pong, webSocket.reader.control.readable, to: outgoing)
      }
      return true
    case .text:
      webSocket.hasReceived = true
      webSocket.reader.message.withReadable { exchange?.receivedBody($0) }
      return true
    case .close(let code):
      close(webSocket, WebSocketCloseCode.isValid(code) ? code : WebSocketCloseCode.normal)
      perform(state.answerArrived(mayKeep: false))
      return false
    case .bad(let code):
      close(webSocket, code)
      lastText = "the upstream breaks the rules of WebSocket"
      perform(state.broke(.cut))
      return false
    }
  }

  /// Tells the server that we close; what the kernel does not take at once is lost.
  func close(_ webSocket: WebSocketClient, _ code: Int) {
    guard webSocket.isOpen, let stream, isUp else { return }
    webSocket.isOpen = false
    WebSocketWriter.appendClose(code, mask: mask, to: stream.outgoing)
    stream.flush()
  }

  private func sendFrame(
    _ opcode: WebSocketOpcode, _ payload: UnsafeRawBufferPointer, to buffer: Buffer
  ) {
    WebSocketWriter.append(opcode, payload, mask: mask, to: buffer)
  }

  private var mask: UInt32 { UInt32(truncatingIfNeeded: Random.number()) }
}
