// SPDX-License-Identifier: MIT

/// What a server connection is waiting for, and what follows from each event.
///
/// A pure value: no socket, no clock. `ServerConnection` performs the actions.
package struct ServerConnectionState: Equatable, Sendable {
  package enum Phase: Equatable, Sendable {
    /// The TLS handshake.
    case handshaking
    /// The first byte of the next request.
    case idle
    /// The rest of a request's head.
    case readingHead
    /// The rest of the body; the exchange may answer already.
    case readingBody
    /// The exchange's answer; the request is complete.
    case answering
    /// The last answer is queued; when it is sent, the output ends.
    case flushing
    /// The output has ended; input is dropped for a while so that the answer is not reset.
    case lingering
    /// Nothing: the loop drops the connection.
    case closed
  }

  package enum Action: Equatable, Sendable {
    case wait
    /// Look for a request in what has arrived.
    case parse
    /// Hand the request to the service.
    case begin
    /// Tell the exchange that its body is complete.
    case endBody
    /// Answer with an error and close after it.
    case refuse(Int)
    /// Tell the exchange that the client is gone.
    case cancel
    /// The same, and answer with an error if no answer has begun.
    case cancelAndRefuse(Int)
    /// End the output, keep dropping input.
    case endOutput
  }

  package private(set) var phase: Phase
  /// Whether the server is going down: no request after the one under way.
  package private(set) var isStopping = false

  /// A new connection.
  package init(isSecure: Bool) { phase = isSecure ? .handshaking : .idle }

  /// Whether the poller should watch for input at all.
  package var wantsInput: Bool {
    switch phase {
    case .handshaking, .idle, .readingHead, .readingBody, .answering, .lingering: true
    case .flushing, .closed: false
    }
  }

  /// No place is left for this connection: one answer, no request.
  package mutating func turnedAway() -> Action {
    switch phase {
    case .idle:
      phase = .flushing
      return .refuse(503)
    case .handshaking, .readingHead, .readingBody, .answering, .flushing, .lingering, .closed:
      return .wait
    }
  }

  package mutating func handshakeEnded() -> Action {
    guard phase == .handshaking else { return .wait }
    phase = isStopping ? .closed : .idle
    return .wait
  }

  package mutating func bytesArrived() -> Action {
    switch phase {
    case .idle:
      phase = .readingHead
      return .parse
    case .readingHead: return .parse
    case .handshaking, .readingBody, .answering, .flushing, .lingering, .closed: return .wait
    }
  }

  /// A head was read.
  package mutating func headArrived(hasBody: Bool) -> Action {
    guard phase == .readingHead else { return .wait }
    phase = hasBody ? .readingBody : .answering
    return .begin
  }

  /// The message could not be read: one answer, then nothing more is parsed.
  package mutating func framingBroke(status: Int) -> Action {
    switch phase {
    case .readingHead:
      phase = .flushing
      return .refuse(status)
    case .readingBody:
      phase = .flushing
      return .cancelAndRefuse(status)
    case .handshaking, .idle, .answering, .flushing, .lingering, .closed: return .wait
    }
  }

  package mutating func bodyArrived() -> Action {
    guard phase == .readingBody else { return .wait }
    phase = .answering
    return .endBody
  }

  /// The exchange has answered completely.
  package mutating func answerEnded(keepsAlive: Bool) -> Action {
    switch phase {
    case .answering:
      phase = keepsAlive && !isStopping ? .idle : .flushing
      return .wait
    case .readingBody:
      // Answered before the body's end: its rest cannot be told from a next request safely.
      phase = .flushing
      return .wait
    case .handshaking, .idle, .readingHead, .flushing, .lingering, .closed: return .wait
    }
  }

  /// All queued bytes are sent.
  package mutating func outputSent() -> Action {
    guard phase == .flushing else { return .wait }
    phase = .lingering
    return .endOutput
  }

  /// The client has ended its direction or reset the connection.
  package mutating func clientEnded() -> Action {
    switch phase {
    case .readingBody, .answering:
      phase = .closed
      return .cancel
    case .handshaking, .idle, .readingHead, .lingering, .closed:
      phase = .closed
      return .wait
    case .flushing:
      return .wait
    }
  }

  /// The connection broke while sending.
  package mutating func outputBroke() -> Action {
    let hadExchange = phase == .readingBody || phase == .answering
    phase = .closed
    return hadExchange ? .cancel : .wait
  }

  package mutating func deadlinePassed() -> Action {
    switch phase {
    case .readingHead:
      phase = .flushing
      return .refuse(408)
    case .readingBody:
      phase = .flushing
      return .cancelAndRefuse(408)
    case .answering:  // The client takes nothing of what is queued.
      phase = .closed
      return .cancel
    case .handshaking, .idle, .flushing, .lingering, .closed:
      phase = .closed
      return .wait
    }
  }

  /// The server goes down: idle connections close, others after their answer.
  ///
  /// `hasOutput`: whether a part of the last answer is still queued.
  package mutating func stop(hasOutput: Bool) -> Action {
    isStopping = true
    if phase == .idle { phase = hasOutput ? .flushing : .closed }
    if phase == .handshaking { phase = .closed }
    return .wait
  }
}
