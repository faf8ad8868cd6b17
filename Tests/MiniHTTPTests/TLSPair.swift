// SPDX-License-Identifier: MIT
import Glibc
import Platform
import Testing

@testable import MiniHTTP

/// A client and a server stream joined by a pair of sockets, worked by hand.
final class TLSPair {
  let client: TLSStream
  let server: TLSStream
  private var descriptors: [Int32]

  init(
    _ clientContext: TLSContext, _ serverContext: TLSContext, host: ByteString,
    resuming: TLSSession? = nil
  ) throws {
    let made = TLSPair.socketPair()
    descriptors = made
    client = try TLSStream(
      context: clientContext, descriptor: made[0], host: host, resuming: resuming)
    server = try TLSStream(
      context: serverContext, descriptor: made[1], host: nil, resuming: nil)
  }

  deinit { for index in descriptors.indices { closeSocket(index) } }

  /// Two joined non-blocking sockets with small buffers, so that writes are cut often.
  static func socketPair() -> [Int32] {
    var pair: [Int32] = [-1, -1]
    let kind = Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue)
    #expect(socketpair(AF_UNIX, kind, 0, &pair) == 0)
    var size: Int32 = 4096
    for descriptor in pair {
      setsockopt(
        descriptor, SOL_SOCKET, SO_SNDBUF, &size, socklen_t(MemoryLayout.size(ofValue: size)))
    }
    return pair
  }

  func closeSocket(_ index: Int) {
    if descriptors[index] >= 0 { close(descriptors[index]) }
    descriptors[index] = -1
  }

  /// Lets both sides step in turn; their last results.
  func handshake() -> (client: TLSResult, server: TLSResult) {
    var results = (client: TLSResult.wantRead, server: TLSResult.wantRead)
    for _ in 0..<50 {
      results = (client.handshake(), server.handshake())
      if !isWaiting(results.client) && !isWaiting(results.server) { break }
      if results.client == .failed { break }
    }
    return results
  }

  private func isWaiting(_ result: TLSResult) -> Bool {
    result == .wantRead || result == .wantWrite
  }
}

extension TLSStream {
  /// Reads at most `limit` bytes.
  func read(_ limit: Int = 16384) -> (result: TLSResult, bytes: [UInt8]) {
    var bytes = [UInt8](repeating: 0, count: limit)
    let result = bytes.withUnsafeMutableBytes { read(into: $0) }
    guard case .bytes(let count) = result else { return (result, []) }
    return (result, Array(bytes[..<count]))
  }

  func write(_ bytes: [UInt8]) -> TLSResult { bytes.withUnsafeBytes { write($0) } }
}
