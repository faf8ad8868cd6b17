// SPDX-License-Identifier: MIT
import CPlatform
import Platform
import Testing

@testable import MiniHTTP

struct ConnectionPoolTests {
  private static let ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

  /// A second exchange on the connection of the first one.
  private func checkReuse(_ loopback: LoopbackUpstream, _ upstream: RawSocket) {
    let next = loopback.lease()
    #expect(next.connection?.isReused == true)
    #expect(upstream.take(through: "\r\n\r\n") == "GET / HTTP/1.1\r\n\r\n")
    upstream.send(Self.ok)
    loopback.turn { next.isOver }
    #expect(next.text == "ok" && next.failure == nil)
    #expect(next.connectedCount == 0, "told once, of a new connection")
  }

  @Test func usesAConnectionAgain() throws {
    let loopback = try LoopbackUpstream()
    let (first, upstream) = loopback.exchange(answer: Self.ok)
    #expect(first.connection?.isReused == false)
    for _ in 0..<3 { checkReuse(loopback, upstream) }
    #expect(!loopback.hasArrival)
  }

  @Test func opensAnotherConnectionWhileOneIsBusy() throws {
    let loopback = try LoopbackUpstream()
    let (first, second) = (loopback.lease(), loopback.lease())
    let (one, two) = (loopback.accept(), loopback.accept())
    one.send(Self.ok)
    two.send(Self.ok)
    loopback.turn { first.isOver && second.isOver }
    #expect(first.connection !== second.connection)
  }

  @Test func doesNotReuseWhatCannotGoOn() throws {
    for answer in [
      "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok",
      "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
      "HTTP/1.1 101 Switching\r\nConnection: close\r\n\r\n", Self.ok + "HTTP/1.1 200 smuggled",
    ] {
      let loopback = try LoopbackUpstream()
      let (first, upstream) = loopback.exchange(answer: answer)
      #expect(first.failure == nil)
      #expect(upstream.takeAll() == "")
      let next = loopback.lease()
      _ = loopback.accept()
      #expect(next.connection?.isReused == false)
    }
  }

  @Test func keepsHostsAndAuthoritiesApart() throws {
    let loopback = try LoopbackUpstream()
    _ = loopback.exchange(answer: Self.ok)
    let byName = loopback.lease(to: loopback.target("localhost"))
    #expect(byName.connection?.isReused == false)
    let own = try TLSIdentity.selfSigned(names: ["localhost"], nowSeconds: 0)
    let context = try TLSContext.client(trust: nil, extraAuthorities: own.certificate)
    let other = ConnectionPool.Target(url: loopback.target().url, context: context)
    #expect(loopback.lease(to: other).connection?.isReused == false)
    #expect(loopback.lease().connection?.isReused == true)
  }

  /// The upstream closes at the moment in which the connection is taken from the pool.
  @Test func tellsThatAPooledConnectionWasStale() throws {
    for isReset in [false, true] {
      let loopback = try LoopbackUpstream()
      let (_, upstream) = loopback.exchange(answer: Self.ok)
      let next = loopback.lease()
      #expect(next.connection?.isReused == true)
      if isReset { upstream.reset() } else { upstream.close() }
      loopback.turn { next.isOver }
      #expect(next.failure == .stale)
      let again = loopback.lease(fresh: true)
      loopback.accept().send(Self.ok)
      loopback.turn { again.isOver }
      #expect(again.text == "ok")
    }
  }

  @Test func doesNotCallAnAnsweredConnectionStale() throws {
    let loopback = try LoopbackUpstream()
    let (_, upstream) = loopback.exchange(answer: Self.ok)
    let next = loopback.lease()
    _ = upstream.take(through: "\r\n\r\n")
    upstream.send("HTTP/1.1 20")
    loopback.turn(milliseconds: 2)
    upstream.close()
    loopback.turn { next.isOver }
    #expect(next.failure == .badAnswer)
  }

  @Test func opensAFreshConnectionWhenAsked() throws {
    let loopback = try LoopbackUpstream()
    let (_, upstream) = loopback.exchange(answer: Self.ok)
    let fresh = loopback.lease(fresh: true)
    #expect(fresh.connection?.isReused == false)
    loopback.accept().send(Self.ok)
    loopback.turn { fresh.isOver }
    upstream.close()
  }

  @Test func dropsIdleConnectionsThatEnd() throws {
    for unasked in ["", "HTTP/1.1 408 Request Timeout\r\n\r\n"] {
      let loopback = try LoopbackUpstream()
      let before = loopback.loop.handlerCount
      let (_, upstream) = loopback.exchange(answer: Self.ok)
      #expect(loopback.loop.handlerCount == before + 1)
      if unasked.isEmpty { upstream.close() } else { upstream.send(unasked) }
      loopback.turn { loopback.loop.handlerCount == before }
      #expect(loopback.lease().connection?.isReused == false)
    }
  }

  @Test func closesConnectionsThatWaitTooLong() throws {
    let loopback = try LoopbackUpstream { $0.poolIdleMilliseconds = 20 }
    let (_, upstream) = loopback.exchange(answer: Self.ok)
    #expect(upstream.takeAll() == "")
  }

  @Test func keepsFewIdleConnectionsOfOneHost() throws {
    let loopback = try LoopbackUpstream { $0.poolIdlePerHost = 2 }
    let before = loopback.loop.handlerCount
    let exchanges = (0..<5).map { _ in loopback.lease() }
    let upstreams = exchanges.map { _ in loopback.accept() }
    for upstream in upstreams { upstream.send(Self.ok) }
    loopback.turn { exchanges.allSatisfy { $0.isOver } }
    loopback.turn(milliseconds: 2)
    #expect(loopback.loop.handlerCount == before + 2)
    loopback.pool.closeIdle()
    loopback.turn { loopback.loop.handlerCount == before }
  }

  @Test func leasesFromWithinTheEndOfAnExchange() throws {
    let loopback = try LoopbackUpstream()
    let first = loopback.lease()
    var second: RecordedExchange?
    first.whenOver = { second = loopback.lease() }
    let upstream = loopback.accept()
    _ = upstream.take(through: "\r\n\r\n")
    upstream.send(Self.ok)
    #expect(upstream.take(through: "\r\n\r\n") == "GET / HTTP/1.1\r\n\r\n")
    upstream.send(Self.ok)
    loopback.turn { second?.isOver == true }
    #expect(second?.text == "ok" && second?.connection?.isReused == true)
  }

  // Addresses.

  @Test func tellsThatNobodyListens() throws {
    let loopback = try LoopbackUpstream()
    loopback.stopListening()
    let exchange = loopback.lease()
    loopback.turn { exchange.isOver }
    #expect(exchange.failure == .connect)
    #expect(exchange.failures.first?.text == "Connection refused")
  }

  @Test func refusesAddressesByPolicy() throws {
    let loopback = try LoopbackUpstream(policy: AddressPolicy(privateBlocks: []))
    for host in ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "169.254.169.254"] {
      let exchange = loopback.lease(to: loopback.target(host))
      loopback.turn { exchange.isOver }
      #expect(exchange.failure == .refusedAddress, "\(host)")
    }
    #expect(!loopback.hasArrival)
  }

  @Test func doesNotTalkToItself() throws {
    let loopback = try LoopbackUpstream()
    loopback.pool.ownPorts = [loopback.port]
    let exchange = loopback.lease()
    let upstream = loopback.accept()
    loopback.turn { exchange.isOver }
    #expect(exchange.failure == .refusedAddress)
    #expect(upstream.takeAll() == "")
  }

  /// One exchange with a host of these addresses, of which only 127.0.0.1 is listened on.
  private func exchange(
    _ loopback: LoopbackUpstream, _ addresses: [String]
  ) throws -> RecordedExchange {
    let known = try addresses.map { try #require(IPAddress(ByteString(utf8: $0))) }
    loopback.pool.resolver.keep(known, of: "upstream.test")
    return loopback.lease(to: loopback.target("upstream.test"))
  }

  /// The dead addresses refuse, or cannot be reached at all where there is no IPv6.
  @Test(arguments: [
    ["127.0.0.1"], ["127.0.0.2", "127.0.0.1"], ["127.0.0.1", "127.0.0.2"], ["::1", "127.0.0.1"],
    ["127.0.0.2", "::1", "127.0.0.3", "127.0.0.4", "127.0.0.1"],
  ])
  func triesTheNextAddress(addresses: [String]) throws {
    let loopback = try LoopbackUpstream()
    let exchange = try exchange(loopback, addresses)
    let upstream = loopback.accept()
    #expect(upstream.take(through: "\r\n\r\n") == "GET / HTTP/1.1\r\n\r\n")
    upstream.send(Self.ok)
    loopback.turn { exchange.isOver }
    #expect(exchange.text == "ok" && exchange.failures.isEmpty)
    #expect(exchange.connectedCount == 1)
    #expect(!loopback.hasArrival)
  }

  /// A socket that listens at ::1; negative where there is no IPv6.
  private static func listenAtSix() -> Int32 {
    IPAddress("::1")?.withBytes { cp_listen($0, $1, 0, 8) } ?? -1
  }

  private static var hasIPv6: Bool {
    let listener = listenAtSix()
    if listener >= 0 { _ = cp_close(listener) }
    return listener >= 0
  }

  @Test(.enabled(if: hasIPv6, "no IPv6 here")) func triesAnAddressOfTheOtherKind() throws {
    let loopback = try LoopbackUpstream()
    let six = try #require(IPAddress("::1"))
    let listener = try SystemError.check(Self.listenAtSix(), "listen")
    defer { _ = cp_close(listener) }
    loopback.pool.resolver.keep([Loopback.address, six], of: "upstream.test")
    let exchange = loopback.lease(
      to: loopback.target("upstream.test", port: Int(cp_local_port(listener))))
    var address = [UInt8](repeating: 0, count: 16)
    var count: Int32 = 0
    var accepted: Int32 = -1
    loopback.turn {
      accepted = cp_accept(listener, &address, &count)
      return accepted >= 0
    }
    RawSocket(descriptor: accepted, owner: loopback).send(Self.ok)
    loopback.turn { exchange.isOver }
    #expect(exchange.text == "ok")
  }

  /// The second look-up of the host asks anew.
  @Test func failsWhenNoAddressAnswers() throws {
    let loopback = try LoopbackUpstream()
    let exchange = try exchange(loopback, ["127.0.0.2", "127.0.0.3"])
    loopback.turn { exchange.isOver }
    #expect(exchange.failure == .connect)
    #expect(exchange.failures.first?.text == "Connection refused")
    var isAnswered = false
    loopback.pool.resolver.resolve("upstream.test") { _ in isAnswered = true }
    #expect(!isAnswered)
  }

  /// The listener's queue is full, so that its kernel leaves the connection unanswered.
  @Test func goesOnWhenAnAddressIsSilent() throws {
    let loopback = try LoopbackUpstream()
    let dead = try #require(IPAddress("127.0.0.2"))
    let silent = dead.withBytes { cp_listen($0, $1, Int32(loopback.port), 0) }
    defer { _ = cp_close(silent) }
    let filling = (0..<4).map { _ in
      dead.withBytes { cp_connect($0, $1, Int32(loopback.port), 0) }
    }
    defer { for descriptor in filling { _ = cp_close(descriptor) } }
    loopback.pool.resolver.keep([dead, Loopback.address], of: "upstream.test")
    let exchange = loopback.lease(
      to: loopback.target("upstream.test"), connectMilliseconds: 200)
    loopback.accept().send(Self.ok)
    loopback.turn { exchange.isOver }
    #expect(exchange.text == "ok")
  }

  /// What the policy refuses is left out, and the rest is tried.
  @Test func skipsAddressesThatThePolicyRefuses() throws {
    let loopback = try LoopbackUpstream()
    let exchange = try exchange(loopback, ["169.254.169.254", "0.0.0.0", "127.0.0.1"])
    loopback.accept().send(Self.ok)
    loopback.turn { exchange.isOver }
    #expect(exchange.text == "ok")
  }
}
