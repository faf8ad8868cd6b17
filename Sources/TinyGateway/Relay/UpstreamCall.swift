// SPDX-License-Identifier: MIT
import MiniHTTP
import Platform
import Vendors

/// Writes the heads of requests to upstreams, the same for relays, tests and model lists.
enum UpstreamCall {
  /// Where a channel's requests go; nil for https without certificate authorities.
  static func target(for channel: Channel, in gateway: Gateway) -> ConnectionPool.Target? {
    channel.target(trusting: gateway.tlsContext)
  }

  /// Appends the head of a POST.
  ///
  /// `contentType`: nil for JSON.
  /// `bodyByteCount`: nil for a chunked body.
  static func appendHead(
    post path: ByteString, channel: Channel, key: ByteString,
    contentType: ByteString? = nil, bodyByteCount: Int64?, to buffer: Buffer
  ) {
    buffer.append("POST ")
    appendCommon(path, channel, key, to: buffer)
    if let contentType {
      buffer.append("Content-Type: ")
      buffer.append(contentType)
      buffer.append("\r\n")
    } else {
      buffer.append("Content-Type: application/json\r\n")
    }
    if let bodyByteCount {
      buffer.append("Content-Length: ")
      buffer.append(decimal: bodyByteCount)
      buffer.append("\r\n\r\n")
    } else {
      buffer.append("Transfer-Encoding: chunked\r\n\r\n")
    }
  }

  /// Appends the head of a call in a vendor's own format.
  ///
  /// `bodyByteCount`: of a JSON body; nil for a GET.
  /// `url`: where it goes, if not to the channel's own.
  static func appendHead(
    _ call: CallHead, channel: Channel, url: URL? = nil, bodyByteCount: Int64?,
    to buffer: Buffer
  ) {
    buffer.append(bodyByteCount == nil ? "GET " : "POST ")
    appendTarget(call.path, url ?? channel.url, to: buffer)
    buffer.append(call.fields)
    buffer.append(standardFields)
    buffer.append(channel.headerLines)
    if let bodyByteCount {
      buffer.append("Content-Type: application/json\r\nContent-Length: ")
      buffer.append(decimal: bodyByteCount)
      buffer.append("\r\n")
    }
    buffer.append("\r\n")
  }

  /// Appends the head of a GET.
  static func appendHead(
    get path: ByteString, channel: Channel, key: ByteString, to buffer: Buffer
  ) {
    buffer.append("GET ")
    appendCommon(path, channel, key, to: buffer)
    buffer.append("\r\n")
  }

  /// Appends the head of a POST to an address that is not the channel's.
  static func appendHead(_ exchange: UpstreamProbe.Exchange, to buffer: Buffer) {
    buffer.append("POST ")
    appendTarget(exchange.path, exchange.url, to: buffer)
    buffer.append(standardFields)
    if !exchange.body.isEmpty {
      buffer.append("Content-Type: ")
      buffer.append(exchange.contentType)
      buffer.append("\r\n")
    }
    buffer.append("Content-Length: ")
    buffer.append(decimal: exchange.body.count)
    buffer.append("\r\n\r\n")
  }

  private static let standardFields: StaticString =
    "Accept: */*\r\nAccept-Encoding: identity\r\nUser-Agent: TinyGateway\r\n"

  private static func appendTarget(_ path: ByteString, _ url: URL, to buffer: Buffer) {
    buffer.append(path)
    buffer.append(" HTTP/1.1\r\nHost: ")
    buffer.append(url.authority)
    buffer.append("\r\n")
  }

  private static func appendCommon(
    _ path: ByteString, _ channel: Channel, _ key: ByteString, to buffer: Buffer
  ) {
    appendTarget(path, channel.url, to: buffer)
    if !key.isEmpty {
      buffer.append(channel.vendor.keyHeader)
      buffer.append(
        channel.signsTokens ? ZhipuToken.make(key: key, at: UnixTime.seconds) ?? key : key)
      buffer.append("\r\n")
    }
    buffer.append(standardFields)
    buffer.append(channel.headerLines)
  }
}
