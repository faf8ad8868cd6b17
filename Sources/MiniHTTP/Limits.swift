// SPDX-License-Identifier: MIT
import Platform

/// Every limit and timeout of the HTTP stack, with its unit; the owner may change those that a
/// configuration names (`Configuration+HTTPLimits.swift`).
package struct HTTPLimits: Sendable {
  /// Those of heads.
  package var head = HeadLimits()
  /// Bytes queued towards one peer at which reading from the other side stops.
  package var queuedByteCount = 64 * 1024
  /// Pipelined bytes kept while a request is being answered.
  package var pipelinedByteCount = 16 * 1024
  /// Bytes of a refused request that are read and dropped so that the answer arrives.
  package var lingeringByteCount = 1024 * 1024

  /// A request's head must be complete so long after its first byte.
  package var headMilliseconds: Int64 = 10_000
  /// Longest silence within a request body.
  package var bodyIdleMilliseconds: Int64 = 30_000
  /// A body may be slower than `bodyBytesPerSecond` for so long.
  package var bodyGraceMilliseconds: Int64 = 10_000
  /// Least average speed of a request body after the grace time.
  package var bodyBytesPerSecond: Int64 = 1024
  /// How long a connection may wait for its next request.
  package var keepAliveMilliseconds: Int64 = 60_000
  /// How long a peer may refuse to take queued bytes.
  package var writeStallMilliseconds: Int64 = 60_000
  /// TLS handshake, both sides.
  package var handshakeMilliseconds: Int64 = 10_000
  /// How long a refused connection lingers.
  package var lingeringMilliseconds: Int64 = 2_000
  /// How long an upstream connection may wait in the pool.
  package var poolIdleMilliseconds: Int64 = 55_000
  /// Idle upstream connections kept for one host.
  package var poolIdlePerHost = 64

  /// Connections admitted at once, and from one address.
  package var connectionCount = 512
  package var connectionsPerAddress = 512
  /// Peers that stand for many clients, such as reverse proxies: no limit for their address.
  package var proxyBlocks: [AddressBlock] = []

  /// The defaults.
  package init() {}
}

/// What bounds the head of a message; apart from the others, since parsers get a copy.
package struct HeadLimits: Sendable {
  /// Longest request line in bytes; 414 above.
  package var requestLineByteCount = 8 * 1024
  /// Longest single header line in bytes; 431 above.
  package var headerLineByteCount = 8 * 1024
  /// All header lines together in bytes; 431 above.
  package var headByteCount = 32 * 1024
  /// Number of header fields; 431 above.
  package var headerFieldCount = 100
  /// Longest answer head that an upstream may send; `.badAnswer` above.
  package var upstreamHeadByteCount = 64 * 1024

  /// The defaults.
  package init() {}
}

/// Sizes that are facts of the implementation, not policy.
enum Sizes {
  /// The loop's shared read buffer; at least one TLS record (16 kB), so nothing decrypted waits.
  static let scratchByteCount = 64 * 1024
  /// Connections accepted in one turn, so that accepting cannot starve streams.
  static let acceptsPerTurn = 64
  /// Handlers touched within a turn after which they are settled before the next event: as many
  /// streams have bytes in memory that wait to be sent.
  static let settledPerTurn = 8
  /// Connections beyond the limit that may be open at once, to be told so.
  static let turnedAwayConnections = 8
  /// Reads from one TLS connection in one turn.
  static let readsPerTurn = 4
  /// Empty lines tolerated before a request line (RFC 9112 §2.2).
  static let leadingEmptyLines = 2
  /// Longest chunk-size line, extensions included.
  static let chunkLineByteCount = 16 * 1024
  /// Interim (1xx) answers before the real one.
  static let interimAnswers = 16
  /// Trailers of one message.
  static let trailerByteCount = 8 * 1024
  /// Longest message that a WebSocket may bring.
  static let webSocketMessageByteCount = 256 * 1024
  /// Bodies up to this size leave in the same write as their head.
  static let joinedBodyByteCount = 16 * 1024
}
