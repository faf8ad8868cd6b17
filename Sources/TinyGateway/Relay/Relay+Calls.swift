// SPDX-License-Identifier: MIT
import MiniHTTP
import Platform
import Vendors

/// Calls in vendors' own formats: with access tokens, over WebSocket, and in several steps.
extension Relay {
  /// Sends the body that `prepareCall` has written.
  func sendChat(_ channel: Channel, _ key: ByteString) {
    guard let exchange = channel.vendor.dialect.exchange else { return sendChat(.empty) }
    tokenWaiter = gateway.accessTokens.token(
      for: channel, key: key, exchange, config: channel.config
    ) { [self] result in
      switch result {
      case .token(let token): sendChat(token)
      case .failed(let failure): attemptFailed(failure)
      }
    }
  }

  private func sendChat(_ accessToken: ByteString) {
    guard let channel, let current, let conversion,
      let upstream = UpstreamCall.target(for: channel, in: gateway)
    else { return }
    let head: CallHead
    do throws(ChatProblem) {
      head = try conversion.head(channel.vendor.dialect(for: target), accessToken)
    } catch {
      return attemptFailed(.refusedKey(error.message))
    }
    let connection = lease(upstream, current)
    if head.isWebSocket {
      connection.upgrade(path: head.path, headerLines: head.fields + channel.headerLines)
      return connection.send(text: conversion.body.readable)
    }
    let count = Int64(conversion.body.count)
    if channel.vendor.isOpenAI {
      UpstreamCall.appendHead(
        post: way == .pass && target.isResponses
          ? channel.path(of: "/responses") : channel.path(of: mode, model: conversion.facts.model),
        channel: channel, key: current.ticket.key, bodyByteCount: count, to: connection.outgoing)
    } else {
      UpstreamCall.appendHead(
        head, channel: channel, bodyByteCount: head.isGet ? nil : count,
        to: connection.outgoing)
    }
    if !head.isGet { connection.send(body: conversion.body) }
  }

  private func lease(
    _ upstream: ConnectionPool.Target, _ attempt: Route.Attempt
  ) -> ClientConnection {
    let connection = gateway.pool.lease(
      upstream, for: self, timeouts: timeouts(attempt), fresh: usesFreshConnection)
    self.connection = connection
    return connection
  }

  /// Has another token fetched and repeats the call, once in an attempt, when the vendor calls the
  /// token stale before the client has seen anything.
  ///
  /// - Returns: whether it did.
  func refresh(after said: UpstreamError) -> Bool {
    guard said.isStaleToken, !hasRefreshed, state.phase == .awaitingAnswer, let channel,
      let current,
      let conversion
    else { return false }
    hasRefreshed = true
    gateway.accessTokens.drop(conversion.accessToken, of: channel, key: current.ticket.key)
    send()
    return true
  }

  // Answers in several steps.

  /// Asks for the answer at another address of the vendor's, after a pause.
  func follow(_ address: ByteString, _ pauseMilliseconds: Int64) {
    answer = .none
    guard let channel, let step = FollowedAddress(address, from: channel.url) else {
      return attemptFailed(.badAnswer, "the upstream leads to an address that is not its own")
    }
    let attempt = attempts
    gateway.loop.after(milliseconds: max(pauseMilliseconds, FollowedAddress.leastMilliseconds)) {
      [self] in
      guard state.phase == .awaitingAnswer, attempts == attempt, current != nil else { return }
      follow(step, channel)
    }
  }

  private func follow(_ step: FollowedAddress, _ channel: Channel) {
    guard let current, let conversion else { return }
    let context = step.url.isSecure ? gateway.tlsContext : nil
    guard !step.url.isSecure || context != nil else {
      return attemptFailed(.tls, gateway.tlsProblem)
    }
    var head: CallHead
    do throws(ChatProblem) {
      head = try conversion.head(channel.vendor.dialect, conversion.accessToken)
    } catch {
      return attemptFailed(.refusedKey(error.message))
    }
    head.path = step.path
    // A stale connection would have the whole call repeated.
    usesFreshConnection = true
    let connection = lease(ConnectionPool.Target(url: step.url, context: context), current)
    UpstreamCall.appendHead(
      head, channel: channel, url: step.url, bodyByteCount: nil, to: connection.outgoing)
  }
}

/// Where an answer in several steps goes on: at the vendor's own host, or at one beside it.
struct FollowedAddress {
  /// The shortest pause before a step, in milliseconds.
  static let leastMilliseconds: Int64 = 100

  let url: URL
  /// With its query.
  let path: ByteString

  /// Checks an address that an upstream gave; nil for one that the channel's key must not go to.
  ///
  /// Allowed are the scheme and port of the channel's base URL, and its host, or one with the same
  /// last two labels; never another one for addresses and for names without a dot.
  init?(_ address: ByteString, from base: URL) {
    let (plain, query) = address.split(at: UInt8(ascii: "?")) ?? (address, .empty)
    guard let url = URL(plain), url.isSecure == base.isSecure, url.port == base.port,
      url.host == base.host || FollowedAddress.areSiblings(url.host, base.host)
    else { return nil }
    for byte in query.bytes where byte <= 0x20 || byte >= 0x7F { return nil }
    self.url = url
    let path = url.path.isEmpty ? "/" : url.path
    self.path = query.isEmpty ? path : path + "?" + query
  }

  /// Second-level labels below which countries register names: three labels count there.
  private static let publicLabels: [StaticString] = [
    "co", "com", "net", "org", "gov", "edu", "ac", "or", "ne", "go",
  ]

  private static func areSiblings(_ host: ByteString, _ other: ByteString) -> Bool {
    guard IPAddress(host) == nil, IPAddress(other) == nil else { return false }
    let domain = domain(of: host)
    return !domain.isEmpty && domain == self.domain(of: other)
  }

  /// The name that somebody registered; nothing where that is not sure.
  private static func domain(of host: ByteString) -> [ByteString] {
    let labels = host.list(separatedBy: UInt8(ascii: "."))
    guard labels.count >= 2 else { return [] }
    let second = labels[labels.count - 2]
    let isPublic =
      labels[labels.count - 1].count == 2 && publicLabels.contains { second == $0 }
    let count = isPublic ? 3 : 2
    return labels.count >= count ? Array(labels.suffix(count)) : []
  }
}
