// SPDX-License-Identifier: MIT
import MiniHTTP
import Platform

/// Which site's page a request comes from, as browsers tell it: against cross-site requests.
enum RequestOrigin {
  /// A page of this gateway.
  case own
  /// Another site's page, or one that hides.
  case foreign
  /// Not a browser: neither `Origin` nor `Sec-Fetch-Site`.
  case unknown

  /// Compares `Origin` with `Host`; without one, believes `Sec-Fetch-Site`.
  ///
  /// `proxies`: behind these the scheme does not count, since they may end TLS.
  static func of(_ head: RequestHead, trusting proxies: [AddressBlock]) -> RequestOrigin {
    switch head.count(of: "origin") {
    case 0:
      guard let site = head.value(of: "sec-fetch-site") else { return .unknown }
      return head.count(of: "sec-fetch-site") == 1 && site == "same-origin" ? .own : .foreign
    case 1:
      guard let origin = head.value(of: "origin"), let host = head.value(of: .host) else {
        return .foreign
      }
      let isProxied = comesThrough(head, proxies)
      return isSame(origin, host, isSecure: isProxied ? nil : head.isSecure) ? .own : .foreign
    default: return .foreign
    }
  }

  /// Whether an origin such as `https://gateway:8443` is this host.
  ///
  /// `isSecure`: the scheme that it must have; nil for either.
  static func isSame(_ origin: ByteString, _ host: ByteString, isSecure: Bool?) -> Bool {
    let origin = origin.lowercased
    let isHTTPS = origin.starts(with: "https://")
    guard isHTTPS || origin.starts(with: "http://"), isSecure ?? isHTTPS == isHTTPS else {
      return false
    }
    let named = ByteString(Array(origin.bytes.dropFirst(isHTTPS ? 8 : 7)))
    let port: StaticString = isHTTPS ? ":443" : ":80"
    return !named.isEmpty && without(port, named) == without(port, host.lowercased)
  }

  private static func without(_ port: StaticString, _ host: ByteString) -> ByteString {
    let port = ByteString(port)
    guard host.count > port.count, host.bytes.suffix(port.count).elementsEqual(port.bytes)
    else { return host }
    return ByteString(Array(host.bytes.dropLast(port.count)))
  }

  /// Refuses a login that another site's page begins: its visitor would act as somebody else.
  static func checkStranger(
    _ head: RequestHead, _ endpoint: Endpoint, _ gateway: Gateway
  ) throws(AdminError) {
    guard endpoint.method != .get else { return }
    if of(head, trusting: gateway.configuration.trustedProxies) == .foreign { throw .crossSite }
  }

  /// Whether the client's side is encrypted, here or at a trusted proxy.
  static func isSecure(_ head: RequestHead, trusting proxies: [AddressBlock]) -> Bool {
    if head.isSecure { return true }
    guard comesThrough(head, proxies), head.count(of: "x-forwarded-proto") == 1,
      let scheme = head.value(of: "x-forwarded-proto")
    else { return false }
    return scheme.lowercased == "https"
  }

  private static func comesThrough(_ head: RequestHead, _ proxies: [AddressBlock]) -> Bool {
    guard let peer = head.peerAddress else { return false }
    return proxies.contains { $0.contains(peer) }
  }
}
