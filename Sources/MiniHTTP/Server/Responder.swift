// SPDX-License-Identifier: MIT
import Platform

/// How one request is answered: whole, or as a stream.
///
/// Belongs to its connection, which sends what is appended here at the end of the turn.
package final class Responder {
  private enum Phase: Equatable {
    case waiting
    /// A stream is open; chunked, or ended by closing for HTTP/1.0.
    case chunked, untilClose
    /// The rest of a body of known length.
    case length(Int64)
    case ended
    /// The answer broke in the middle: the connection must be cut without a proper end.
    case aborted
  }

  private let loop: EventLoop
  private let clock: DateField
  let stream: ByteStream
  private(set) var id = HandlerID.none
  private var phase = Phase.ended
  /// Whether a body is wanted: not for HEAD.
  package private(set) var sendsBody = true
  private var minorVersion = 1
  /// Whether the connection may go on after this answer.
  package private(set) var keepsAlive = true

  init(stream: ByteStream, loop: EventLoop, clock: DateField) {
    self.stream = stream
    self.loop = loop
    self.clock = clock
  }

  func attach(_ id: HandlerID) { self.id = id }

  /// Prepares for the answer of one request.
  func reset(toHead: Bool, minorVersion: Int, keepsAlive: Bool) {
    phase = .waiting
    queueLimit = nil
    isOpenToAnySite = false
    sendsBody = !toHead
    self.minorVersion = minorVersion
    self.keepsAlive = keepsAlive
  }

  /// Queued bytes below which this exchange is asked for more; nil for the server's own limit.
  package var queueLimit: Int?
  /// Whether scripts on pages of any site may read the answer (CORS).
  package var isOpenToAnySite = false
  /// Whether nothing has been answered yet.
  package var isWaiting: Bool { phase == .waiting }
  /// Whether the answer is complete or cut.
  package var isEnded: Bool { phase == .ended || phase == .aborted }
  var isAborted: Bool { phase == .aborted }
  /// Bytes queued for the client; stop producing above `HTTPLimits.queuedByteCount`.
  package var queuedByteCount: Int { stream.queuedByteCount }

  /// The exchange accepts more of the request again.
  package func resume() { loop.touch(id) }

  /// Closes the connection after this answer.
  package func closeAfterwards() { keepsAlive = false }

  /// Answers with a whole body, of which 304 tells the length only (RFC 9110 §8.6, §15.4.5).
  ///
  /// `fields`: appends header lines such as `Content-Type`, each with its line end.
  package func respond(
    _ status: Status, fields: (Buffer) -> Void, body: UnsafeRawBufferPointer
  ) {
    guard begin(status, length: Int64(body.count), fields: fields) else { return }
    if sendsBody, status != .notModified { stream.outgoing.append(body) }
    phase = .ended
  }

  /// Answers with a JSON body.
  package func respond(_ status: Status, json body: Buffer) {
    respond(
      status, fields: { $0.append("Content-Type: application/json\r\n") }, body: body.readable)
  }

  /// Begins an answer whose body follows through `write`.
  ///
  /// `length`: nil when it is not known: chunked, or until the connection closes.
  ///
  /// - Returns: false when an answer has begun already.
  @discardableResult
  package func begin(_ status: Status, length: Int64?, fields: (Buffer) -> Void) -> Bool {
    guard phase == .waiting else { return false }
    let buffer = stream.outgoing
    MessageWriter.appendStatusLine(status, to: buffer)
    clock.append(to: buffer)
    if let length {
      buffer.append("Content-Length: ")
      buffer.append(decimal: length)
      buffer.append("\r\n")
      phase = .length(length)
    } else if minorVersion == 1 {
      buffer.append("Transfer-Encoding: chunked\r\n")
      phase = .chunked
    } else {
      keepsAlive = false
      phase = .untilClose
    }
    if !keepsAlive {
      buffer.append("Connection: close\r\n")
    } else if minorVersion == 0 {
      buffer.append("Connection: keep-alive\r\n")
    }
    if isOpenToAnySite {
      buffer.append("Access-Control-Allow-Origin: *\r\nAccess-Control-Expose-Headers: *\r\n")
    }
    fields(buffer)
    buffer.append("\r\n")
    loop.touch(id)
    return true
  }

  /// Sends part of the body.
  package func write(_ bytes: UnsafeRawBufferPointer) {
    guard bytes.count > 0 else { return }
    switch phase {
    case .chunked: if sendsBody { MessageWriter.appendChunk(bytes, to: stream.outgoing) }
    case .untilClose: if sendsBody { stream.outgoing.append(bytes) }
    case .length(let rest):
      guard Int64(bytes.count) <= rest else { return abort() }
      phase = .length(rest - Int64(bytes.count))
      if sendsBody { stream.outgoing.append(bytes) }
    case .waiting, .ended, .aborted: return
    }
    loop.touch(id)
  }

  /// Ends the body; a body shorter than announced is cut instead.
  package func end() {
    switch phase {
    case .chunked: if sendsBody { MessageWriter.appendLastChunk(to: stream.outgoing) }
    case .untilClose: break
    case .length(let rest): if rest > 0 { return abort() }
    case .waiting, .ended, .aborted: return
    }
    phase = .ended
    loop.touch(id)
  }

  /// Cuts the answer: what is queued is sent, then the connection closes without a proper end.
  package func abort() {
    phase = .aborted
    keepsAlive = false
    loop.touch(id)
  }

  /// RFC 9110 §10.1.1: invites the body.
  func sendContinue() {
    guard phase == .waiting else { return }
    stream.outgoing.append("HTTP/1.1 100 Continue\r\n\r\n")
  }
}
