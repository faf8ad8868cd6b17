// SPDX-License-Identifier: MIT
import Platform

/// How much is admitted at once, from `memory_limit_mb` and the settings that narrow it.
///
/// Shares of the memory: half for connections and requests in work, a third for held bodies; the
/// rest is the program itself. Buffers towards slow clients are bounded per stream, and all of
/// them together cannot exceed a quarter, unless every stream is at its least of 32 kB.
struct Capacity: Equatable, Sendable {
  /// What one connection and one request in work may cost, bytes: buffers and objects; the
  /// second includes a TLS upstream.
  static let connectionByteCount: Int64 = 8 * 1024
  static let requestByteCount: Int64 = 48 * 1024
  /// Descriptors that stay for the database, the log, the loop itself and clients that are turned
  /// away.
  static let otherDescriptors = 40
  /// From here on the machine counts as a server.
  private static let serverMegabytes = 256

  /// Resident memory of the whole process.
  let memoryByteCount: Int64
  /// Client connections at once.
  let connections: Int
  let connectionsPerAddress: Int
  /// Requests in work at once.
  let requests: Int
  let poolIdlePerUpstream: Int
  /// Held in memory of one body, and of all bodies together.
  let bodyHeldByteCount: Int64
  let bodiesHeldByteCount: Int64
  /// Largest body, streamed through.
  let bodyByteCount: Int64
  /// Largest form with files.
  let uploadByteCount: Int64
  /// Waiting for one slow client, 32 to 256 kB; reading from its upstream stops above.
  let streamBufferByteCount: Int

  /// Derives everything from checked settings.
  init(_ configuration: Configuration) {
    let megabytes = configuration.memoryLimitMegabytes
    memoryByteCount = Int64(megabytes) << 20
    // Each may need one to its upstream as well.
    connections = min(
      Capacity.chosen(
        configuration.connectionLimit, megabytes, small: 128, medium: 512, server: 4096),
      max(1, (configuration.descriptorLimit - Capacity.otherDescriptors) / 2))
    let isServer = megabytes >= Capacity.serverMegabytes
    connectionsPerAddress = min(
      connections,
      configuration.connectionsPerAddress > 0
        ? configuration.connectionsPerAddress : isServer ? connections : 64)
    requests = min(
      connections,
      Capacity.chosen(
        configuration.requestLimit, megabytes, small: 32, medium: 128, server: 2048))
    poolIdlePerUpstream = Capacity.chosen(
      configuration.poolIdlePerUpstream, megabytes, small: 16, medium: 64, server: 1024)

    bodiesHeldByteCount = Capacity.bodiesByteCount(megabytes)
    bodyByteCount = Int64(configuration.bodyLimitMegabytes) << 20
    uploadByteCount = Int64(configuration.uploadLimitMegabytes) << 20
    bodyHeldByteCount = min(
      Int64(configuration.bodyHeldLimitKilobytes) << 10, min(bodiesHeldByteCount, bodyByteCount))
    let share = memoryByteCount / 4 / Int64(requests)
    streamBufferByteCount = Int(max(32 * 1024, min(256 * 1024, share & ~4095)))
  }

  /// Memory for held bodies.
  static func bodiesByteCount(_ megabytes: Int) -> Int64 { (Int64(megabytes) << 20) / 3 }

  /// Memory for connections and requests in work.
  static func workByteCount(_ megabytes: Int) -> Int64 { (Int64(megabytes) << 20) / 2 }

  /// The setting, or for 0 what the memory allows.
  ///
  /// Straight lines through the three named points, 24 MB, 48 MB and 256 MB; in proportion to the
  /// memory below, and the server's amount above.
  private static func chosen(
    _ setting: Int, _ megabytes: Int, small: Int, medium: Int, server: Int
  ) -> Int {
    if setting > 0 { return setting }
    if megabytes >= serverMegabytes { return server }
    if megabytes >= 48 {
      return medium + (server - medium) * (megabytes - 48) / (serverMegabytes - 48)
    }
    if megabytes >= 24 { return small + (medium - small) * (megabytes - 24) / 24 }
    return max(4, small * megabytes / 24)
  }
}

extension Configuration {
  /// What is admitted at once; costs a little, so keep the result.
  var capacity: Capacity { Capacity(self) }
}
