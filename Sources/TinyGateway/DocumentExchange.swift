// SPDX-License-Identifier: MIT
import MiniHTTP
import Platform

/// Sends a document out of read-only memory, no faster than the client takes it: anyone may ask,
/// and who asks often and reads nothing must not fill the memory.
final class DocumentExchange: Exchange {
  /// What may wait for a slow client, and what is copied to its queue at once, in bytes.
  private static let queueByteCount = 8 * 1024

  private let document: Document
  private let isReading: Bool
  /// The client has this text already.
  private let isKnown: Bool
  private let responder: Responder
  private let requestID: Int64
  private var sentCount = 0

  /// Takes a request over; `head` is not kept.
  init(_ document: Document, _ head: RequestHead, _ responder: Responder, _ gateway: Gateway) {
    self.document = document
    self.responder = responder
    isReading = head.method == .get || head.method == .head
    isKnown = head.joinedValues(of: "if-none-match").map(document.matches) ?? false
    requestID = gateway.makeRequestID()
    responder.queueLimit = DocumentExchange.queueByteCount
  }

  var acceptsBody: Bool { true }
  func received(_ bytes: Span<UInt8>) {}
  func cancelled() {}

  func bodyEnded() {
    guard isReading else {
      return RelayError.methodNotAllowed("GET, HEAD").answer(responder, requestID: requestID)
    }
    if isKnown {
      return responder.respond(.notModified, fields: appendFields, body: document.bytes)
    }
    responder.begin(.ok, length: Int64(document.bytes.count), fields: appendFields)
    outputDrained()
  }

  func outputDrained() {
    guard !responder.isWaiting, !responder.isEnded else { return }
    let bytes = document.bytes
    while sentCount < bytes.count, responder.queuedByteCount < DocumentExchange.queueByteCount {
      let end = min(sentCount + DocumentExchange.queueByteCount, bytes.count)
      responder.write(UnsafeRawBufferPointer(rebasing: bytes[sentCount..<end]))
      sentCount = end
    }
    if sentCount == bytes.count { responder.end() }
  }

  private func appendFields(to fields: Buffer) {
    document.appendFields(to: fields)
    RequestID.appendHeaders(requestID, to: fields)
  }
}
