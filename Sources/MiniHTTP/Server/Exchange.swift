// SPDX-License-Identifier: MIT
import Platform

/// Answers requests; the server asks it once per request.
package protocol Service: AnyObject {
  /// Takes a request over. `head` is valid during this call only; `responder` until the answer
  /// has ended or `Exchange.cancelled()` was called.
  func begin(_ head: RequestHead, _ responder: Responder) -> any Exchange
  /// Answers a request that could not be read, in the shape that clients expect; with 503 one
  /// that was not looked at, since there are too many connections.
  func refuse(_ status: Status, _ sentence: StaticString, _ responder: Responder)
}

/// One request on its way: gets the body, answers through its responder.
package protocol Exchange: AnyObject {
  /// Whether more body may be read now; false is back-pressure on the client.
  var acceptsBody: Bool { get }
  /// Some bytes of the body.
  func received(_ bytes: Span<UInt8>)
  /// The body is complete.
  func bodyEnded()
  /// The client took enough of a long queue: more of the answer may be produced.
  func outputDrained()
  /// The client is gone before the answer's end, or broke the framing: no answer is possible.
  func cancelled()
}
