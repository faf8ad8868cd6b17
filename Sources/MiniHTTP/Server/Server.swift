// SPDX-License-Identifier: MIT
import CPlatform
import Platform

/// Accepts connections within its limits and stops gracefully.
package final class Server {
  let loop: EventLoop
  let service: any Service
  let clock: DateField
  package private(set) var limits: HTTPLimits
  /// Refilled by every request; valid during `Service.begin`.
  let head = RequestHead()
  /// Why the latest unreadable request was refused.
  var refusal: StaticString = ""
  private var listeners: [Listener] = []
  private var connections: [ServerConnection] = []
  private var connectionsByAddress: [IPAddress: Int] = [:]
  /// Connections beyond the limit that are being told so; not among `connections`.
  private var turnedAwayCount = 0
  private var tlsContext: TLSContext?
  private var isStopping = false
  private let log: Log

  /// Makes a server without listeners.
  package init(loop: EventLoop, service: any Service, limits: HTTPLimits, log: Log) {
    self.loop = loop
    self.service = service
    self.limits = limits
    self.log = log
    clock = DateField(loop: loop)
  }

  /// Number of open client connections.
  package var connectionCount: Int { connections.count }

  /// Listens on an address; the port in use is returned.
  ///
  /// Throws what `bind` or `listen` says, such as `EADDRINUSE`.
  @discardableResult
  package func listen(
    on address: IPAddress, port: Int, tls: TLSContext? = nil
  ) throws(SystemError) -> Int {
    if let tls { tlsContext = tls }
    let listener = try Listener(
      server: self, address: address, port: port, isSecure: tls != nil)
    listener.id = loop.add(listener)
    listeners.append(listener)
    return listener.port
  }

  /// Uses another certificate for connections from now on.
  package func replaceTLS(_ context: TLSContext) { tlsContext = context }

  /// Uses other limits for what happens from now on.
  package func replaceLimits(_ limits: HTTPLimits) { self.limits = limits }

  /// Stops listening; idle connections close, others after their answer.
  package func stop() {
    isStopping = true
    for listener in listeners { listener.close() }
    listeners = []
    for connection in connections { connection.stop() }
  }

  /// Whether a stopped server has no connection left.
  package var isDrained: Bool { isStopping && connections.isEmpty }

  func accepted(_ descriptor: Int32, from peer: IPAddress?, isSecure: Bool) {
    guard admits(peer) else { return turnAway(descriptor, from: peer, isSecure: isSecure) }
    var tls: TLSStream?
    if isSecure {
      guard let tlsContext else {
        _ = cp_close(descriptor)
        return
      }
      do throws(TLSError) {
        tls = try TLSStream(context: tlsContext, descriptor: descriptor, host: nil, resuming: nil)
      } catch {
        log.error("a TLS connection was refused: \(error.text.text)")
        _ = cp_close(descriptor)
        return
      }
    }
    let connection = ServerConnection(
      server: self, descriptor: descriptor, peerAddress: peer, tls: tls)
    connection.index = connections.count
    connections.append(connection)
    if let peer { connectionsByAddress[peer, default: 0] += 1 }
    connection.attach(loop.add(connection))
  }

  private func admits(_ peer: IPAddress?) -> Bool {
    if let peer, connectionsByAddress[peer, default: 0] >= limits.connectionsPerAddress,
      !limits.proxyBlocks.contains(where: { $0.contains(peer) })
    {
      return false
    }
    if connections.count < limits.connectionCount { return true }
    return closeOldestIdle()
  }

  /// Makes room by closing the connection that has waited longest for a next request.
  private func closeOldestIdle() -> Bool {
    var oldest: ServerConnection?
    for connection in connections where connection.isIdle {
      if let known = oldest, known.idleSince <= connection.idleSince { continue }
      oldest = connection
    }
    oldest?.stop()
    return oldest != nil
  }

  func descriptorsExhausted() {
    log.warn("no file descriptor is left for a new connection; raise the limit (ulimit -n)")
    _ = closeOldestIdle()
  }

  /// At the limit a client is told so, and lingered for, as long as few others are.
  ///
  /// Beyond those the connection is closed at once. So is one that wants TLS: a handshake is what
  /// costs most of all that a connection costs.
  private func turnAway(_ descriptor: Int32, from peer: IPAddress?, isSecure: Bool) {
    guard !isSecure, turnedAwayCount < Sizes.turnedAwayConnections else {
      _ = cp_close(descriptor)
      return
    }
    turnedAwayCount += 1
    let connection = ServerConnection(
      server: self, descriptor: descriptor, peerAddress: peer, tls: nil, isTurnedAway: true)
    connection.attach(loop.add(connection))
    refusal = "There are too many connections; try again shortly."
    connection.turnAway()
  }

  func connectionDropped(_ connection: ServerConnection) {
    if connection.isTurnedAway {
      turnedAwayCount -= 1
      return
    }
    let index = connection.index
    guard index < connections.count, connections[index] === connection else { return }
    let last = connections.removeLast()
    if index < connections.count {
      connections[index] = last
      last.index = index
    }
    if let peer = connection.address {
      let left = connectionsByAddress[peer, default: 1] - 1
      connectionsByAddress[peer] = left > 0 ? left : nil
    }
  }
}
