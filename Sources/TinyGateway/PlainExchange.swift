// SPDX-License-Identifier: MIT
import MiniHTTP
import Platform

/// A request whose body does not matter: it is read, dropped, and then answered.
final class PlainExchange: Exchange {
  /// What is kept of the head.
  struct Request {
    let method: MiniHTTP.Method
    let path: ByteString

    /// Throws 405 unless the method only reads.
    func mustBeReading() throws(RelayError) {
      guard method == .get || method == .head else { throw .methodNotAllowed("GET, HEAD") }
    }
  }

  private let request: Request
  private var answer: ((Request) -> Void)?

  init(_ head: RequestHead, answer: @escaping (Request) -> Void) {
    request = Request(method: head.method, path: ByteString(head.path))
    self.answer = answer
  }

  var acceptsBody: Bool { true }
  func received(_ bytes: Span<UInt8>) {}
  func outputDrained() {}
  func cancelled() { answer = nil }

  func bodyEnded() {
    let answer = answer
    self.answer = nil
    answer?(request)
  }
}

extension Responder {
  /// Answers with JSON, and with the request's id in the head.
  func respond(json body: Buffer, requestID: Int64) {
    respond(
      .ok,
      fields: { fields in
        fields.append("Content-Type: application/json\r\n")
        RequestID.appendHeaders(requestID, to: fields)
      }, body: body.readable)
  }
}
