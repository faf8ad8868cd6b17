// SPDX-License-Identifier: MIT
import MiniJSON
import Platform

/// A chat protocol of vendors: how a request is written in it and how its answers are read.
///
/// Pure functions; the relay opens connections and sends what they say. OpenAI's own format is a
/// dialect too (`Dialect.openAI`), but requests in it to vendors of it are passed on as they are.
package struct Dialect: Sendable {
  /// For `ClientDialect.passes`, logs and tables.
  package let name: StaticString
  /// What `encode` writes.
  package let writes: ChatFields
  /// What it leaves out without a word, as the vendor's own SDK does or since it is only a hint.
  package let drops: ChatFields
  /// How a stream of answers is cut into events.
  package let framing: StreamFraming
  /// Whether whole answers are asked for as streams too, since the vendor has no other good way.
  package var alwaysStreams = false
  package let errors: ErrorFormat
  /// Path, header lines and method of the call.
  package let head: @Sendable (CallFacts) throws(ChatProblem) -> CallHead
  /// Writes the body; `check` was called before.
  package let encode: @Sendable (ChatRequest, CallFacts, Buffer) throws(ChatProblem) -> Void
  /// Makes a reader of one answer.
  package let makeDecoder: @Sendable (CallFacts) -> any ChatDecoder
  /// How a short-lived access token is had; nil for vendors that take the key itself.
  package var exchange: TokenExchange?

  /// Makes a dialect.
  package init(
    name: StaticString, writes: ChatFields, drops: ChatFields, framing: StreamFraming,
    errors: ErrorFormat,
    head: @escaping @Sendable (CallFacts) throws(ChatProblem) -> CallHead,
    encode: @escaping @Sendable (ChatRequest, CallFacts, Buffer) throws(ChatProblem) -> Void,
    makeDecoder: @escaping @Sendable (CallFacts) -> any ChatDecoder,
    exchange: TokenExchange? = nil, alwaysStreams: Bool = false
  ) {
    self.name = name
    self.writes = writes
    self.drops = drops
    self.framing = framing
    self.errors = errors
    self.head = head
    self.encode = encode
    self.makeDecoder = makeDecoder
    self.exchange = exchange
    self.alwaysStreams = alwaysStreams
  }
}

/// What a dialect is told of the call that it is to make.
package struct CallFacts {
  /// Path of the channel's base URL, such as `/v1` or empty.
  package var basePath = ByteString.empty
  /// Host, with port where it is not the scheme's, as in the field `Host`.
  package var authority = ByteString.empty
  /// The upstream's name of the model.
  package var model = ByteString.empty
  package var key = ByteString.empty
  /// Of the channel's type, by name; what is not set is missing.
  package var config: [ByteString: ByteString] = [:]
  package var isStream = false
  /// Unix seconds; for signatures.
  package var now: Int64 = 0
  /// Of `exchange`; empty for dialects without.
  package var accessToken = ByteString.empty
  /// The body; given to `head`, which may sign it; empty when `encode` is called.
  package var body: Buffer?
  /// Random: for nonces.
  package var random: UInt64 = 0
  /// Header lines of the client's, where its protocol is the vendor's.
  package var clientFields = ByteString.empty
  /// Only the prompt's tokens are asked for.
  package var countsTokens = false

  /// Makes facts of nothing.
  package init() {}
}

/// The head of a call, but for what every call has (`Host`, `User-Agent`, lengths).
package struct CallHead {
  /// With its query.
  package var path: ByteString
  /// Lines with their ends, such as `x-api-key: k\r\n`; no `Content-Type`.
  package var fields: ByteString
  package var isGet = false
  /// The call is a WebSocket: the body is sent as its first text message.
  package var isWebSocket = false

  /// Makes the head of a POST.
  package init(path: ByteString, fields: ByteString = .empty) {
    self.path = path
    self.fields = fields
  }

  /// One header line.
  package static func field(_ name: StaticString, _ value: ByteString) -> ByteString {
    ByteString(name) + ": " + value + "\r\n"
  }
}

/// Reads one answer of a vendor, whole or as a stream.
///
/// An answer is complete once a `finish` event has come; a body that ends before has been cut.
package protocol ChatDecoder: AnyObject {
  /// Reads one event of a stream. Data that is not understood adds nothing.
  func read(_ event: StreamEvent, into events: inout [ChatEvent])
  /// Reads a whole answer.
  func read(answer: JSONValue, into events: inout [ChatEvent])
  /// The body has ended as the framing wants it; what was held back is told now.
  func end(into events: inout [ChatEvent])
}

/// A short-lived token in exchange for the channel's key.
package struct TokenExchange: Sendable {
  /// The absolute URL of the call.
  package let url: @Sendable (CallFacts) throws(ChatProblem) -> ByteString
  /// The body, and its type; empty for none.
  package let body: @Sendable (CallFacts) throws(ChatProblem) -> ByteString
  package let contentType: StaticString
  /// The token and its lifetime in seconds; nil when the answer holds none.
  package let read: @Sendable (JSONValue) -> (token: ByteString, lifetimeSeconds: Int64)?

  /// Makes an exchange.
  package init(
    contentType: StaticString,
    url: @escaping @Sendable (CallFacts) throws(ChatProblem) -> ByteString,
    body: @escaping @Sendable (CallFacts) throws(ChatProblem) -> ByteString,
    read: @escaping @Sendable (JSONValue) -> (token: ByteString, lifetimeSeconds: Int64)?
  ) {
    self.contentType = contentType
    self.url = url
    self.body = body
    self.read = read
  }
}
