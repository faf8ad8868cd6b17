// SPDX-License-Identifier: MIT
import MiniHTTP
import Platform

/// The client's side of a relay: its body as it arrives.
extension Relay {
  var acceptsBody: Bool {
    guard isPassing else { return true }
    // Nobody takes the body yet, or the request was refused.
    guard hasBegunPassing else { return state.phase == .finished }
    // After a failure the bytes are only read.
    guard let connection else { return true }
    return connection.queuedByteCount < gateway.capacity.streamBufferByteCount
  }

  func received(_ bytes: Span<UInt8>) {
    // A relay that has ended gave its body back for the next one to use.
    guard state.phase != .finished, error == nil || state.phase != .readingRequest else { return }
    do throws(RelayError) {
      guard body.byteCount + Int64(bytes.count) <= bodyLimit else {
        throw bodyTooLarge
      }
      if hasBegunPassing { return try pass(bytes) }
      try body.append(bytes)
      if !isPassing { try hold(bytes.count) }
    } catch {
      refuse(error)
    }
  }

  /// Accounts for held bytes; lets a long body through once its model is known.
  func hold(_ count: Int) throws(RelayError) {
    heldByteCount += Int64(count)
    gateway.relays.heldByteCount += Int64(count)
    if maySendEarly {
      isPassing = true
      try prepare()
      return perform(state.requestReady())
    }
    if declaredByteCount > gateway.capacity.bodiesHeldByteCount, body.form?.hasFile ?? false {
      throw Relay.formTooLarge
    }
    guard gateway.relays.heldByteCount > gateway.capacity.bodiesHeldByteCount else { return }
    if heldByteCount > gateway.capacity.bodiesHeldByteCount {
      if body.form != nil { throw Relay.formTooLarge }
      throw needsWholeBody ? Relay.conversionTooLarge : Relay.bodyWithoutModel
    }
    throw .overloaded("The gateway holds as many request bodies as it can. Try again shortly.")
  }

  /// Sends the next bytes of a long body on.
  func pass(_ bytes: Span<UInt8>) throws(RelayError) {
    let edited = Buffer()
    try body.pass(bytes, to: edited)
    try checkLateModel()
    // The upstream may have answered or failed already; then the rest is only read.
    guard let connection else { return }
    sendOn(edited, connection)
  }

  func bodyEnded() {
    bodyIsComplete = true
    guard state.phase != .finished else { return }
    if let error, state.phase == .readingRequest { return refuse(error) }
    do throws(RelayError) {
      try body.finish()
      if isPassing {
        isStream = try wantsStream()
        if body.form != nil { try checkWholeForm() }
        raiseReservation()
        startConfiguredHeartbeat()
        return hasBegunPassing ? finishPassing() : ()
      }
      try prepare()
      startConfiguredHeartbeat()
      perform(state.requestReady())
    } catch {
      refuse(error)
    }
  }

  func finishPassing() {
    let edited = Buffer()
    body.finishPassing(to: edited)
    guard let connection else { return }
    sendOn(edited, connection)
    if passedByteCount == nil { MessageWriter.appendLastChunk(to: connection.outgoing) }
  }

  func cancelled() { perform(state.clientGone()) }

  func outputDrained() { connection?.resume() }
}
