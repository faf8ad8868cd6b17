// SPDX-License-Identifier: MIT
import MiniHTTP
import Platform

extension Configuration {
  /// The limits of the HTTP stack; those without a setting keep their defaults.
  var httpLimits: HTTPLimits {
    let capacity = capacity
    var limits = HTTPLimits()
    limits.headMilliseconds = headerTimeoutMilliseconds
    limits.bodyIdleMilliseconds = bodyIdleTimeoutMilliseconds
    limits.keepAliveMilliseconds = keepAliveTimeoutMilliseconds
    limits.writeStallMilliseconds = writeTimeoutMilliseconds
    limits.poolIdleMilliseconds = poolIdleTimeoutMilliseconds
    limits.poolIdlePerHost = capacity.poolIdlePerUpstream
    limits.connectionCount = capacity.connections
    limits.connectionsPerAddress = capacity.connectionsPerAddress
    limits.proxyBlocks = trustedProxies
    limits.queuedByteCount = min(limits.queuedByteCount, capacity.streamBufferByteCount)
    return limits
  }
}
