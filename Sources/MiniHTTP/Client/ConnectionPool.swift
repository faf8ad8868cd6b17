// SPDX-License-Identifier: MIT
import Platform

/// Connections to upstreams, kept for the next exchange with the same host.
package final class ConnectionPool {
  /// What a connection may be reused for: the same host, port and set of authorities.
  package final class Target {
    package let url: URL
    /// Nil for plain HTTP.
    package let context: TLSContext?
    fileprivate let key: ByteString
    /// Where the pool keeps idle connections to it, once one has been asked for.
    fileprivate var idle: IdleList?

    /// A target of these authorities; connections and sessions of others are not for it.
    package init(url: URL, context: TLSContext?) {
      self.url = url
      self.context = context
      let key = Buffer()
      key.append(url.isSecure ? "s" : "p")
      // The address: no other context has it while this one has a connection.
      key.append(decimal: Int(bitPattern: context?.context))
      key.append(UInt8(ascii: "/"))
      key.append(decimal: url.port)
      key.append(UInt8(ascii: "/"))
      key.append(url.host)
      self.key = key.byteString
    }

    deinit { idle?.targetCount -= 1 }
  }

  /// Idle connections to one upstream, shared by its targets.
  fileprivate final class IdleList {
    var connections: [ClientConnection] = []
    /// Targets that lead here; each connection has one, so without any the list is empty.
    var targetCount = 0
  }

  let loop: EventLoop
  let resolver: Resolver
  private(set) var limits: HTTPLimits
  private(set) var policy: AddressPolicy
  /// Ports that this program listens on; a channel must not lead back to it.
  package var ownPorts: [Int] = []
  /// Refilled by every answer; valid during `receivedHead`.
  let head = ResponseHead()
  private var idle: [ByteString: IdleList] = [:]
  private var sessions: [ByteString: TLSSession] = [:]

  /// Makes an empty pool.
  package init(loop: EventLoop, limits: HTTPLimits, policy: AddressPolicy) {
    self.loop = loop
    self.limits = limits
    self.policy = policy
    resolver = Resolver(loop: loop)
  }

  /// Uses other limits and another policy for connections from now on.
  package func replace(limits: HTTPLimits, policy: AddressPolicy) {
    self.limits = limits
    self.policy = policy
  }

  /// A connection for one exchange: an idle one, or a new one that is being set up.
  ///
  /// `fresh`: do not reuse, since a reused one was stale.
  package func lease(
    _ target: Target, for exchange: any ClientExchange, timeouts: ClientTimeouts,
    fresh: Bool = false
  ) -> ClientConnection {
    if !fresh {
      let list = idleList(for: target)
      while let connection = list.connections.popLast() {
        if connection.isIdle {
          connection.lease(exchange, timeouts)
          return connection
        }
      }
    }
    let connection = ClientConnection(
      pool: self, target: target, exchange: exchange, timeouts: timeouts)
    connection.attach(loop.add(connection))
    return connection
  }

  /// A target asks the table once, and remembers; it belongs to one pool.
  private func idleList(for target: Target) -> IdleList {
    if let known = target.idle { return known }
    let list: IdleList
    if let known = idle[target.key] {
      list = known
    } else {
      for (key, old) in idle where old.targetCount == 0 { idle[key] = nil }
      list = IdleList()
      idle[target.key] = list
    }
    list.targetCount += 1
    target.idle = list
    return list
  }

  /// Closes every idle connection and forgets TLS sessions, for the stop of the program, or since
  /// they were judged by other settings.
  package func closeIdle() {
    for list in idle.values {
      let connections = list.connections
      list.connections = []
      for connection in connections { connection.cancel() }
    }
    sessions = [:]
  }

  func returned(_ connection: ClientConnection) {
    let list = idleList(for: connection.target)
    if list.connections.count < limits.poolIdlePerHost {
      list.connections.append(connection)
    } else {
      connection.cancel()
    }
  }

  func dropped(_ connection: ClientConnection) {
    guard let list = connection.target.idle,
      let index = list.connections.firstIndex(where: { $0 === connection })
    else { return }
    list.connections.remove(at: index)
  }

  func session(for target: Target) -> TLSSession? { sessions[target.key] }

  func keep(_ session: TLSSession, for target: Target) {
    if sessions.count >= 64, sessions[target.key] == nil { sessions = [:] }
    sessions[target.key] = session
  }
}

/// Which addresses upstream connections may use; checked on the resolved address itself, so no
/// second look-up can answer differently (SSRF).
package struct AddressPolicy: Sendable {
  /// Private addresses that may be used; nil means all of them.
  package let privateBlocks: [AddressBlock]?

  /// `privateBlocks`: nil allows loopback and private networks, an empty list none.
  package init(privateBlocks: [AddressBlock]?) { self.privateBlocks = privateBlocks }

  /// Cloud metadata, link-local, unspecified and multicast addresses are never allowed.
  package func allows(_ address: IPAddress) -> Bool {
    if address.isIPv4 {
      let first = address.low >> 24
      if first == 0 || first >= 224 || address.low >> 16 == 0xA9FE { return false }
    } else {
      // ::, IPv4-compatible and -translated forms, fe80::/10, ff00::/8, fd00:ec2::254
      if address.high == 0, address.low >> 32 == 0, address.low != 1 { return false }
      if address.high == 0x0064_FF9B_0000_0000 || address.high >> 48 == 0x2002 { return false }
      if address.high == 0, address.low >> 32 == 0xFFFF_0000 { return false }
      if address.high >> 54 == 0x3FA || address.high >> 56 == 0xFF { return false }
      if address.high == 0xFD00_0EC2_0000_0000, address.low == 0x254 { return false }
    }
    guard address.isPrivate, let privateBlocks else { return true }
    return privateBlocks.contains { $0.contains(address) }
  }
}
