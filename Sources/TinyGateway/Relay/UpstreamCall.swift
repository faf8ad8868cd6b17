// SPDX-License-Identifier: MIT
import MiniHTTP
import Platform
import Vendors

/// Writes the heads of requests to upstreams, the same for relays, tests and model lists.
enum UpstreamCall {
  /// The head of a POST of JSON around its key and its length: those to a channel mostly go to one
  /// path.
  struct KnownHead {
    let path: ByteString
    let hasKey: Bool
    let beforeKey: ByteString
    let behindKey: ByteString
  }

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
    if contentType == nil, let bodyByteCount {
      let head = knownHead(path, channel, hasKey: !key.isEmpty)
      buffer.append(head.beforeKey)
      buffer.append(shown(key, channel))
      buffer.append(head.behindKey)
      buffer.append(decimal: bodyByteCount)
      buffer.append("\r\n\r\n")
      return
    }
    buffer.append("POST ")
    appendCommon(path, channel, key, to: buffer)
    buffer.append("Content-Type: ")
    buffer.append(contentType ?? "application/json")
    buffer.append("\r\n")
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
    if !key.isEmpty { buffer.append(channel.vendor.keyHeader) }
    buffer.append(shown(key, channel))
    appendFields(channel, hasKey: !key.isEmpty, to: buffer)
  }

  /// What stands in the place of a key.
  private static func shown(_ key: ByteString, _ channel: Channel) -> ByteString {
    channel.signsTokens && !key.isEmpty
      ? ZhipuToken.make(key: key, at: UnixTime.seconds) ?? key : key
  }

  /// Appends what follows the key.
  private static func appendFields(_ channel: Channel, hasKey: Bool, to buffer: Buffer) {
    if hasKey { buffer.append("\r\n") }
    buffer.append(standardFields)
    buffer.append(channel.headerLines)
  }

  /// The channel's last head if it fits, as nearly always, or a new one.
  private static func knownHead(
    _ path: ByteString, _ channel: Channel, hasKey: Bool
  ) -> KnownHead {
    if let known = channel.lastHead, known.hasKey == hasKey, known.path == path { return known }
    let text = Buffer()
    text.append("POST ")
    appendTarget(path, channel.url, to: text)
    if hasKey { text.append(channel.vendor.keyHeader) }
    let beforeKey = text.byteString
    text.clear()
    appendFields(channel, hasKey: hasKey, to: text)
    text.append("Content-Type: application/json\r\nContent-Length: ")
    let head = KnownHead(
      path: path, hasKey: hasKey, beforeKey: beforeKey, behindKey: text.byteString)
    channel.lastHead = head
    return head
  }
}
