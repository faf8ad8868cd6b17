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
  /// The client takes it as it is in the binary.
  private let isPacked: Bool
  private var reader: DocumentReader?
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
    let isPacked = Document.takesGzip(head.joinedValues(of: "accept-encoding"))
    self.isPacked = isPacked
    isKnown =
      head.joinedValues(of: "if-none-match").map {
        document.matches($0, isPacked: isPacked)
      } ?? false
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
      return responder.respond(.notModified, fields: appendFields, body: document.packed)
    }
    responder.begin(.ok, length: Int64(byteCount), fields: appendFields)
    if !isPacked { reader = DocumentReader(document) }
    outputDrained()
  }

  private var byteCount: Int { isPacked ? document.packed.count : document.plainByteCount }

  func outputDrained() {
    guard !responder.isWaiting, !responder.isEnded else { return }
    let whole = byteCount
    while sentCount < whole, responder.queuedByteCount < DocumentExchange.queueByteCount {
      let end = min(sentCount + DocumentExchange.queueByteCount, whole)
      if let reader {
        let piece = Buffer()
        guard reader.append(end - sentCount, to: piece) else { return responder.abort() }
        responder.write(piece.readable)
      } else {
        responder.write(UnsafeRawBufferPointer(rebasing: document.packed[sentCount..<end]))
      }
      sentCount = end
    }
    if sentCount == whole { responder.end() }
  }

  private func appendFields(to fields: Buffer) {
    document.appendFields(to: fields, isPacked: isPacked)
    RequestID.appendHeaders(requestID, to: fields)
  }
}
