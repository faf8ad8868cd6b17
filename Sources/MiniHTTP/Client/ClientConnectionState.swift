// SPDX-License-Identifier: MIT

/// What an upstream connection is waiting for, and what follows from each event.
package struct ClientConnectionState: Equatable, Sendable {
  package enum Phase: Equatable, Sendable {
    /// The addresses of the host name.
    case resolving
    /// The TCP connection to one of the addresses.
    case connecting
    case handshaking
    /// An exchange: the connection is in the pool.
    case idle
    /// The head of the answer.
    case awaitingHead
    /// The rest of the answer's body.
    case readingBody
    case closed
  }

  package enum Action: Equatable, Sendable {
    case wait
    /// Start the TLS handshake.
    case handshake
    /// Try the next address; the last one failed with this kind.
    case connectNext(ClientFailure.Kind)
    /// Tell the exchange, and close.
    case fail(ClientFailure.Kind)
    /// Tell the exchange that the answer is complete; keep or close the connection.
    case finish(keep: Bool)
  }

  package private(set) var phase = Phase.resolving
  /// Whether the connection has served an exchange before this one.
  package private(set) var isReused = false
  private let isSecure: Bool

  /// A connection that waits for its host's addresses.
  package init(isSecure: Bool) { self.isSecure = isSecure }

  package mutating func addressesArrived() -> Action {
    guard phase == .resolving else { return .wait }
    phase = .connecting
    return .wait
  }

  package mutating func connected() -> Action {
    guard phase == .connecting else { return .wait }
    phase = isSecure ? .handshaking : .awaitingHead
    return isSecure ? .handshake : .wait
  }

  package mutating func handshakeEnded() -> Action {
    guard phase == .handshaking else { return .wait }
    phase = .awaitingHead
    return .wait
  }

  /// Taken from the pool for another exchange.
  package mutating func leased() -> Action {
    guard phase == .idle else { return .wait }
    isReused = true
    phase = .awaitingHead
    return .wait
  }

  package mutating func headArrived() -> Action {
    guard phase == .awaitingHead else { return .wait }
    phase = .readingBody
    return .wait
  }

  package mutating func answerArrived(mayKeep: Bool) -> Action {
    guard phase == .readingBody else { return .wait }
    phase = mayKeep ? .idle : .closed
    return .finish(keep: mayKeep)
  }

  /// The peer closed or reset, or sending failed.
  ///
  /// `hasInput`: whether a part of an answer's head has arrived.
  /// `completesBody`: whether the body ends with the connection.
  package mutating func connectionEnded(hasInput: Bool, completesBody: Bool) -> Action {
    switch phase {
    case .resolving, .closed: return .wait
    case .connecting: return .connectNext(.connect)
    case .handshaking:
      phase = .closed
      return .fail(.tls)
    case .idle:
      phase = .closed
      return .wait
    case .awaitingHead:
      phase = .closed
      return .fail(hasInput ? .badAnswer : isReused ? .stale : .reset)
    case .readingBody:
      phase = .closed
      return completesBody ? .finish(keep: false) : .fail(.cut)
    }
  }

  package mutating func deadlinePassed() -> Action {
    switch phase {
    case .resolving:
      phase = .closed
      return .fail(.resolve)
    case .connecting: return .connectNext(.connectTimeout)
    case .handshaking:
      phase = .closed
      return .fail(.connectTimeout)
    case .idle:
      phase = .closed
      return .wait
    case .awaitingHead:
      phase = .closed
      return .fail(.firstByteTimeout)
    case .readingBody:
      phase = .closed
      return .fail(.idleTimeout)
    case .closed: return .wait
    }
  }

  /// Something is wrong for good: no address is left, the answer is not HTTP, TLS failed.
  package mutating func broke(_ kind: ClientFailure.Kind) -> Action {
    let hadExchange = phase != .idle && phase != .closed
    phase = .closed
    return hadExchange ? .fail(kind) : .wait
  }

  /// The exchange is no longer wanted.
  package mutating func cancelled() { phase = .closed }
}
