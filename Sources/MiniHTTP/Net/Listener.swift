// SPDX-License-Identifier: MIT
import CPlatform
import Platform

/// A listening socket that hands accepted connections to its server.
final class Listener: EventHandler {
  /// How long accepting rests when the process has no descriptors left.
  private static let pauseMilliseconds: Int64 = 100

  private let server: Server
  private let isSecure: Bool
  private var pausedUntil: Instant?
  private var isClosed = false
  let descriptor: Int32
  /// The port in use, also when 0 was asked for.
  let port: Int
  var id = HandlerID.none

  /// Binds and listens.
  init(server: Server, address: IPAddress, port: Int, isSecure: Bool) throws(SystemError) {
    self.server = server
    self.isSecure = isSecure
    descriptor = try SystemError.check(
      address.withBytes { cp_listen($0, $1, Int32(port), 4096) }, "listen")
    self.port = Int(cp_local_port(descriptor))
  }

  var interest: Interest { pausedUntil == nil ? .read : [] }
  var deadline: Instant? { pausedUntil }
  var isFinished: Bool { isClosed }

  func ready(_ ready: Interest) {
    for _ in 0..<Sizes.acceptsPerTurn {
      var address = [UInt8](repeating: 0, count: 16)
      var addressCount: Int32 = 0
      let accepted = address.withUnsafeMutableBufferPointer {
        cp_accept(descriptor, $0.baseAddress, &addressCount)
      }
      if accepted < 0 {
        // A client that gave up meanwhile is no reason to stop.
        if accepted == -cp_econnaborted { continue }
        if accepted == -cp_emfile || accepted == -cp_enfile { pause() }
        return
      }
      let peer = address.withUnsafeBytes { raw in
        IPAddress(UnsafeRawBufferPointer(rebasing: raw[0..<Int(addressCount)]))
      }
      server.accepted(accepted, from: peer, isSecure: isSecure)
    }
  }

  private func pause() {
    pausedUntil = server.loop.now.advanced(byMilliseconds: Listener.pauseMilliseconds)
    server.descriptorsExhausted()
  }

  func deadlinePassed() { pausedUntil = nil }
  func settle() {}
  func dropped() { _ = cp_close(descriptor) }

  /// Stops listening at the end of this turn.
  func close() {
    isClosed = true
    server.loop.touch(id)
  }
}
