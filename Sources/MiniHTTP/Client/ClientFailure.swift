// SPDX-License-Identifier: MIT
import Platform

/// Why an upstream exchange failed, and what was said about it.
package struct ClientFailure: Sendable {
  package enum Kind: Equatable, Sendable {
    /// The host name has no address.
    case resolve
    /// The address is one that channels may not use.
    case refusedAddress
    /// No address accepted a connection.
    case connect
    case connectTimeout
    /// The handshake or the certificate.
    case tls
    /// The connection broke before the first byte of an answer.
    case reset
    /// The same on a connection that had waited in the pool: try a fresh one.
    case stale
    /// No byte of an answer in time.
    case firstByteTimeout
    /// The answer is not valid HTTP.
    case badAnswer
    /// The answer broke off in the middle.
    case cut
    /// Silence in the middle of an answer.
    case idleTimeout
  }

  package let kind: Kind
  /// For the log; may hold addresses, never secrets.
  package let text: ByteString

  /// Makes a failure.
  package init(_ kind: Kind, _ text: ByteString = .empty) {
    self.kind = kind
    self.text = text
  }
}

/// Deadlines of one upstream exchange in milliseconds.
package struct ClientTimeouts: Sendable {
  /// Name look-up, connect and TLS handshake together.
  package var connectMilliseconds: Int64
  /// From the connection to the first byte of the answer.
  package var firstByteMilliseconds: Int64
  /// Longest silence within the answer.
  package var idleMilliseconds: Int64

  package init(connectMilliseconds: Int64, firstByteMilliseconds: Int64, idleMilliseconds: Int64) {
    self.connectMilliseconds = connectMilliseconds
    self.firstByteMilliseconds = firstByteMilliseconds
    self.idleMilliseconds = idleMilliseconds
  }
}

/// Who gets the answer of one upstream exchange.
///
/// A connection keeps its exchange from `lease` until the answer has ended, failed or was
/// cancelled, and lets go of it then; so the two do not keep each other alive.
package protocol ClientExchange: AnyObject {
  /// Whether more of the answer may be read now; false is back-pressure on the upstream.
  var acceptsAnswer: Bool { get }
  /// A new connection is up; what was appended to `outgoing` before is on its way.
  func connected()
  func receivedHead(_ head: ResponseHead)
  func receivedBody(_ bytes: Span<UInt8>)
  /// The upstream took enough of a long queue: more of the request may be sent.
  func requestDrained()
  func answerEnded()
  func failed(_ failure: ClientFailure)
}
