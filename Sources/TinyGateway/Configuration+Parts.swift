// SPDX-License-Identifier: MIT
import MiniHTTP
import Platform

/// The configuration as each part of the program wants it.
extension Configuration {
  /// Timeouts of channels that have none of their own.
  var clientTimeouts: ClientTimeouts {
    ClientTimeouts(
      connectMilliseconds: connectTimeoutMilliseconds,
      firstByteMilliseconds: firstByteTimeoutMilliseconds,
      idleMilliseconds: streamIdleTimeoutMilliseconds)
  }

  /// Private addresses that channels may use; nil means all.
  var privateUpstreamBlocks: [AddressBlock]? {
    switch upstreamPrivate {
    case .allow: nil
    case .deny: []
    case .only(let blocks): blocks
    }
  }

  /// How long logins of the web pages last.
  var sessionLifetime: SessionLifetime {
    SessionLifetime(idleSeconds: sessionIdleHours * 3600, totalSeconds: sessionHours * 3600)
  }
}
