// SPDX-License-Identifier: MIT
import MiniHTTP
import Platform
import Store

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
}

extension ChannelBucket {
  /// A saved hour.
  init(_ hour: ChannelHour) {
    self.init(period: hour.hour)
    requests = hour.requests
    successes = hour.successes
    promptTokens = hour.promptTokens
    completionTokens = hour.completionTokens
    latencySum = hour.latencySum
    firstByteSum = hour.firstByteSum
    firstByteCount = hour.firstByte.count
    latency = hour.latency
    for kind in ErrorKind.allCases {
      let count = hour.errors[kind.rawValue]
      if count > 0 { self.count(error: kind.rawValue, by: count) }
    }
  }
}
