// SPDX-License-Identifier: MIT
import CPlatform
import Platform

/// From a host name to a connection that can send: look-up, TCP, TLS.
extension ClientConnection {
  func resolve() {
    isLookingUp = true
    pool.resolver.resolve(target.url.host) { [self] answer in
      guard state.phase == .resolving else { return }
      switch answer {
      case .failed(let text):
        lastText = text
        perform(state.broke(.resolve))
      case .addresses(let found):
        let allowed = found.filter { pool.policy.allows($0) }
        guard !allowed.isEmpty else {
          lastText = "the address of this host may not be used by a channel"
          return perform(state.broke(.refusedAddress))
        }
        addresses = allowed
        perform(state.addressesArrived())
        connectNext(.connect)
      }
    }
  }

  func connectNext(_ kind: ClientFailure.Kind) {
    stream?.close()
    stream = nil
    while nextAddress < addresses.count {
      let address = addresses[nextAddress]
      nextAddress += 1
      let connected = address.withBytes {
        cp_connect($0, $1, Int32(target.url.port), address.scope)
      }
      if connected >= 0 {
        stream = ByteStream(descriptor: connected)
        connectStarted = loop.now
        loop.descriptorChanged(id)
        return
      }
      lastText = ByteString(utf8: SystemError.describe(-connected))
    }
    pool.resolver.forget(target.url.host)
    perform(state.broke(kind))
  }

  func finishConnect() {
    guard let stream else { return }
    let error = cp_socket_error(stream.descriptor)
    if error < 0 {
      lastText = ByteString(utf8: SystemError.describe(-error))
      return perform(state.connectionEnded(hasInput: false, completesBody: false))
    }
    if pool.ownPorts.contains(target.url.port), cp_is_own_peer(stream.descriptor) == 1 {
      lastText = "this is the gateway's own address"
      return perform(state.broke(.refusedAddress))
    }
    perform(state.connected())
    if state.phase == .awaitingHead { sendWaiting() }
  }

  func startTLS() {
    guard let stream, let context = target.context else {
      lastText = "no TLS context"
      return perform(state.broke(.tls))
    }
    do throws(TLSError) {
      stream.startTLS(
        try TLSStream(
          context: context, descriptor: stream.descriptor, host: target.url.host,
          resuming: pool.session(for: target)))
      shakeHands()
    } catch {
      lastText = error.text
      perform(state.broke(.tls))
    }
  }

  func shakeHands() {
    guard let stream else { return }
    switch stream.handshake() {
    case .bytes:
      perform(state.handshakeEnded())
      sendWaiting()
      if stream.hasPendingInput { read() }
    case .wait: break
    case .ended, .failed:
      lastText = stream.tlsErrorText
      perform(state.connectionEnded(hasInput: false, completesBody: false))
    }
  }

  func sendWaiting() {
    guard let stream else { return }
    lastProgress = loop.now
    stream.outgoing.append(contentsOf: waitingRequest)
    waitingRequest.release()
    if let waitingBody { stream.queue(body: waitingBody) }
    waitingBody = nil
    exchange?.connected()
  }
}
