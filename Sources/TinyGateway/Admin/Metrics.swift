// SPDX-License-Identifier: MIT
import MiniHTTP
import Platform
import Store

/// `GET /metrics`: the gateway's figures for Prometheus, and who may read them.
enum Metrics {
  static let path: StaticString = "/metrics"

  /// Takes a request over; who asks is decided here, since the head is not kept.
  static func begin(
    _ head: RequestHead, _ responder: Responder, _ gateway: Gateway
  ) -> PlainExchange {
    let isAdmitted = admits(head, gateway.configuration) || isAdministrator(head, gateway)
    return PlainExchange(head) { [gateway] request in
      guard isAdmitted else { return refuse(responder, gateway) }
      do throws(RelayError) {
        try request.mustBeReading()
      } catch {
        return error.answer(responder, requestID: gateway.makeRequestID())
      }
      let body = Buffer()
      MetricsReport.write(gateway, to: body)
      respond(200, "text/plain; version=0.0.4; charset=utf-8", body, responder, gateway)
    }
  }

  /// Whether the address or the bearer token suffices; what is not set admits nobody.
  static func admits(_ head: RequestHead, _ configuration: Configuration) -> Bool {
    let blocks = configuration.metricsAddresses
    if !blocks.isEmpty,
      let address = ClientAddress.of(head, trusting: configuration.trustedProxies),
      blocks.contains(where: { $0.contains(address) })
    {
      return true
    }
    guard !configuration.metricsToken.isEmpty, head.count(of: .authorization) == 1,
      let value = head.value(of: .authorization), value.count > 7,
      ByteString(Array(value.bytes[..<7])).lowercased == "bearer "
    else { return false }
    // Digests, so that the time tells neither the length nor how much of it is right.
    return Digest.constantTimeEquals(
      Digest.sha256(ByteString(Array(value.bytes[7...])).trimmed).bytes,
      Digest.sha256(configuration.metricsToken).bytes)
  }

  private static func isAdministrator(_ head: RequestHead, _ gateway: Gateway) -> Bool {
    do throws(AdminError) {
      let user = try AdminCaller.of(head, gateway).user
      return user.record.role != .user && !user.record.mustChangePassword
    } catch {
      return false
    }
  }

  private static func refuse(_ responder: Responder, _ gateway: Gateway) {
    let body = Buffer()
    body.append(
      """
      Send the header Authorization: Bearer with the metrics_token of config.yaml or an
      administrator's login, or ask from an address in metrics_addresses.

      """)
    respond(401, "text/plain; charset=utf-8", body, responder, gateway)
  }

  private static func respond(
    _ status: Int, _ contentType: StaticString, _ body: Buffer, _ responder: Responder,
    _ gateway: Gateway
  ) {
    responder.respond(
      Status(status),
      fields: { fields in
        fields.append("Content-Type: ")
        fields.append(contentType)
        fields.append("\r\nCache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n")
        RequestID.appendHeaders(gateway.makeRequestID(), to: fields)
        if status == 401 { fields.append("WWW-Authenticate: Bearer realm=\"metrics\"\r\n") }
      }, body: body.readable)
  }
}

/// How a channel stands at the moment.
struct ChannelGauges {
  /// Requests under way on the channel.
  var openRequests: Int64
  /// One word: `enabled`, `disabled`, or what is in the way, as in `/explain`.
  var state: StaticString
  /// Whether the channel may be chosen now.
  var isReady: Bool

  /// Reads what is known of a channel.
  static func of(_ channel: Channel, _ now: Instant) -> ChannelGauges {
    let obstacle = channel.isEnabled ? Eligibility.obstacle(channel, at: now) : nil
    return ChannelGauges(
      openRequests: channel.health.openRequests,
      state: obstacle?.code ?? ChannelEndpoints.name(of: channel.record.status),
      isReady: channel.isEnabled && obstacle == nil)
  }
}
