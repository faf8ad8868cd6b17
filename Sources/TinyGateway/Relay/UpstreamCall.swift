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
  /// `bodyByteCount`: nil for a chunked body.
  static func appendHead(
    post path: ByteString, channel: Channel, key: ByteString,
    contentType: ByteString = "application/json", bodyByteCount: Int64?, to buffer: Buffer
  ) {
    buffer.append("POST ")
    appendCommon(path, channel, key, to: buffer)
    buffer.append("Content-Type: ")
    buffer.append(contentType)
    buffer.append("\r\n")
    if let bodyByteCount {
      buffer.append("Content-Length: ")
      buffer.append(decimal: bodyByteCount)
      buffer.append("\r\n\r\n")
    } else {
      buffer.append("Transfer-Encoding: chunked\r\n\r\n")
    }
  }

  /// Appends the head of a GET.
  static func appendHead(
    get path: ByteString, channel: Channel, key: ByteString, to buffer: Buffer
  ) {
    buffer.append("GET ")
    appendCommon(path, channel, key, to: buffer)
    buffer.append("\r\n")
  }

  private static func appendCommon(
    _ path: ByteString, _ channel: Channel, _ key: ByteString, to buffer: Buffer
  ) {
    buffer.append(path)
    buffer.append(" HTTP/1.1\r\nHost: ")
    buffer.append(channel.url.authority)
    buffer.append("\r\n")
    if !key.isEmpty {
      buffer.append(channel.vendor.keyHeader)
      buffer.append(key)
      buffer.append("\r\n")
    }
    buffer.append("Accept: */*\r\nAccept-Encoding: identity\r\nUser-Agent: TinyGateway\r\n")
    buffer.append(channel.headerLines)
  }
}
