// SPDX-License-Identifier: MIT
import CPlatform
import MiniHTTP
import Platform

/// Turns signals into calls on the loop: SIGTERM and SIGINT stop, SIGHUP reloads,
/// SIGPWR saves.
final class SignalHandler: EventHandler {
  let descriptor: Int32
  private let gateway: Gateway

  /// `descriptor`: from `open()`, called before any thread was started.
  init(descriptor: Int32, gateway: Gateway) {
    self.descriptor = descriptor
    self.gateway = gateway
  }

  /// Blocks the signals for all threads started later and gives the descriptor that tells them.
  static func open() throws(StartError) -> Int32 {
    let descriptor = cp_signal_descriptor()
    guard descriptor >= 0 else {
      throw StartError("signals cannot be received: \(SystemError.describe(-descriptor))")
    }
    return descriptor
  }

  var interest: Interest { .read }
  var deadline: Instant? { nil }
  var isFinished: Bool { false }
  func deadlinePassed() {}
  func settle() {}
  func dropped() { _ = cp_close(descriptor) }

  func ready(_ ready: Interest) {
    while true {
      let signal = cp_signal_next(descriptor)
      if signal == cp_sighup {
        gateway.reload()
      } else if signal == cp_sigterm || signal == cp_sigint {
        gateway.stop()
      } else if signal == cp_sigpwr {
        gateway.powerFails()
      } else {
        return
      }
    }
  }
}
