// SPDX-License-Identifier: MIT
import MiniHTTP
import MiniJSON
import Platform
import Vendors

/// Short-lived tokens in exchange for keys of channels, for dialects that have an `exchange`.
///
/// One exchange at a time for each key, whoever waits. In memory only.
final class AccessTokens {
  enum Result {
    case token(ByteString)
    case failed(AttemptFailure)
  }

  /// One request that waits for a token.
  final class Waiter {
    fileprivate var done: ((Result) -> Void)?

    fileprivate init(_ done: @escaping (Result) -> Void) { self.done = done }

    /// Whether `done` is still to be called.
    var isPending: Bool { done != nil }

    /// Nobody waits any more; the exchange goes on for the next request.
    func cancel() { done = nil }

    fileprivate func tell(_ result: Result) {
      let done = done
      self.done = nil
      done?(result)
    }
  }

  /// The token of one key.
  private final class Entry {
    let channel: Channel
    let key: ByteString
    var state = AccessTokenState()
    var waiters: [Waiter] = []
    /// Why the last exchange failed; for those that ask while it rests.
    var failure: AttemptFailure?
    var probe: UpstreamProbe?
    var usedAt: Instant

    init(_ channel: Channel, _ key: ByteString, usedAt: Instant) {
      self.channel = channel
      self.key = key
      self.usedAt = usedAt
    }
  }

  /// Tokens that are kept; the one not used for longest goes first.
  static let entryLimit = 64
  /// Longest token that is kept, in bytes.
  static let tokenByteLimit = 16 * 1024
  /// How long the vendor may take to answer, in milliseconds.
  private static let answerMilliseconds: Int64 = 30_000

  private let gateway: Gateway
  private var entries: [Entry] = []

  /// Makes an empty store.
  init(gateway: Gateway) { self.gateway = gateway }

  /// Tokens that are kept or under way.
  var count: Int { entries.count }

  /// Hands out the token for a key of a channel, at once where there is one.
  ///
  /// `config`: the channel's settings of its type's own.
  /// `done` is called once, within this call or later by the loop, unless the waiter is
  /// cancelled before.
  @discardableResult
  func token(
    for channel: Channel, key: ByteString, _ exchange: TokenExchange,
    config: [ByteString: ByteString] = [:], _ done: @escaping (Result) -> Void
  ) -> Waiter {
    let now = gateway.loop.now
    let waiter = Waiter(done)
    let entry = entry(for: channel, key, now)
    entry.usedAt = now
    switch entry.state.wanted(at: now) {
    case .use(let token): waiter.tell(.token(token))
    case .useAndFetch(let token):
      fetch(entry, exchange, config)
      waiter.tell(.token(token))
    case .wait: entry.waiters.append(waiter)
    case .fetch:
      entry.waiters.append(waiter)
      fetch(entry, exchange, config)
    case .refuse:
      if let failure = entry.failure { waiter.tell(.failed(failure)) }
    }
    return waiter
  }

  /// The vendor calls a token stale: the next request has another one fetched.
  func drop(_ token: ByteString, of channel: Channel, key: ByteString) {
    find(channel, key)?.state.calledStale(token)
  }

  /// Forgets what belongs to channels that were changed or removed; who waits still gets an
  /// answer.
  func forgetReplaced() {
    entries = entries.filter { gateway.channels.find($0.channel.id) === $0.channel }
  }

  private func find(_ channel: Channel, _ key: ByteString) -> Entry? {
    entries.first { $0.channel === channel && $0.key == key }
  }

  private func entry(for channel: Channel, _ key: ByteString, _ now: Instant) -> Entry {
    if let known = find(channel, key) { return known }
    let made = Entry(channel, key, usedAt: now)
    // A request under way may have a channel that was replaced meanwhile: nothing is kept for it.
    guard gateway.channels.find(channel.id) === channel else { return made }
    if entries.count >= AccessTokens.entryLimit,
      let oldest = entries.indices.min(by: { entries[$0].usedAt < entries[$1].usedAt })
    {
      entries.remove(at: oldest)
    }
    entries.append(made)
    return made
  }

  // The exchange.

  private func fetch(
    _ entry: Entry, _ exchange: TokenExchange, _ config: [ByteString: ByteString]
  ) {
    var facts = CallFacts()
    facts.basePath = entry.channel.url.path
    facts.authority = entry.channel.url.authority
    facts.key = entry.key
    facts.config = config
    facts.now = UnixTime.seconds
    facts.random = Random.number()
    let made = Made()
    // A signature with a private key takes a small processor a tenth of a second.
    let job = Job(
      work: {
        do throws(ChatProblem) {
          made.call = try AccessTokens.call(exchange, facts)
        } catch {
          made.problem = error.message
        }
      },
      completion: { [self] in
        guard let call = made.call else {
          return end(entry, .failed(.refusedKey(made.problem)))
        }
        send(call, entry, exchange)
      })
    do throws(SystemError) {
      try gateway.passwordWorker.submit(job)
    } catch {
      gateway.log.error("the thread for signatures cannot be started: \(error.text)")
      end(entry, .failed(AttemptFailure(threadless: error.text)))
    }
  }

  /// The call that the worker leaves for the loop, or why there is none.
  private final class Made {
    var call: UpstreamProbe.Exchange?
    var problem = ByteString.empty
  }

  private func send(
    _ call: UpstreamProbe.Exchange, _ entry: Entry, _ exchange: TokenExchange
  ) {
    var timeouts = entry.channel.timeouts
    timeouts.firstByteMilliseconds = min(
      timeouts.firstByteMilliseconds, AccessTokens.answerMilliseconds)
    timeouts.idleMilliseconds = min(timeouts.idleMilliseconds, AccessTokens.answerMilliseconds)
    let start = gateway.loop.now
    let probe = UpstreamProbe.exchange(
      call, entry.channel, gateway, timeouts: timeouts
    ) { [self] outcome in
      entry.probe = nil
      guard outcome.status == 200, let given = AccessTokens.read(outcome.body, exchange) else {
        return end(entry, .failed(AttemptFailure(exchange: outcome)))
      }
      entry.state.obtained(given.token, lifetimeSeconds: given.lifetimeSeconds, since: start)
      end(entry, .token(given.token))
    }
    // It may have failed within the call.
    if probe.isPending { entry.probe = probe }
  }

  private func end(_ entry: Entry, _ result: Result) {
    entry.failure = nil
    if case .failed(let failure) = result {
      entry.failure = failure
      entry.state.failed(at: gateway.loop.now)
    }
    let waiters = entry.waiters
    entry.waiters = []
    for waiter in waiters { waiter.tell(result) }
  }

  /// The call as it is sent; the setting `token_url` takes the place of the vendor's address.
  private static func call(
    _ exchange: TokenExchange, _ facts: CallFacts
  ) throws(ChatProblem) -> UpstreamProbe.Exchange {
    let whole = try exchange.url(facts)
    let (address, query) = whole.split(at: UInt8(ascii: "?")) ?? (whole, .empty)
    let own = facts.config["token_url"] ?? .empty
    guard let url = URL(own.isEmpty ? address : own) else {
      throw ChatProblem("The address for access tokens is no http or https URL.")
    }
    let path = url.path.isEmpty ? "/" : url.path
    let body = Buffer()
    body.append(try exchange.body(facts))
    return UpstreamProbe.Exchange(
      url: url, path: query.isEmpty ? path : path + "?" + query, body: body,
      contentType: exchange.contentType)
  }

  /// The token of an answer; nil where there is none that could be sent in a header.
  private static func read(
    _ body: Buffer, _ exchange: TokenExchange
  ) -> (token: ByteString, lifetimeSeconds: Int64)? {
    let document: JSONDocument
    do throws(JSONError) {
      document = try JSONDocument(body.byteString)
    } catch {
      return nil
    }
    guard let given = exchange.read(document.root), !given.token.isEmpty,
      given.token.count <= tokenByteLimit,
      given.token.bytes.allSatisfy({ $0 > 0x20 && $0 < 0x7F })
    else { return nil }
    return given
  }
}

extension AttemptFailure {
  /// The vendor gives no token for this key.
  ///
  /// `reason`: without any part of the key.
  static func refusedKey(_ reason: ByteString) -> AttemptFailure {
    AttemptFailure(
      kind: .refusedKey, text: reason,
      error: .upstream(
        502, "upstream_auth_failed", "The upstream refused the credentials of this channel."),
      outcome: .keyRejected(reason: reason), isFaultOfKey: true)
  }

  /// The system has no thread left that could make the call.
  init(threadless reason: String) {
    self.init(
      kind: .gateway, text: ByteString(utf8: reason),
      error: .overloaded("The system has no thread left: try again."), outcome: .undecided)
  }

  /// What a failed exchange says about channel and key.
  init(exchange outcome: UpstreamProbe.Outcome) {
    guard let status = outcome.status else {
      let kind = outcome.kind?.errorKind ?? (outcome.isTimeout ? .timeout : .badAnswer)
      let text: ByteString = "no access token: " + outcome.failure
      self.init(
        kind: kind, text: text, error: RelayError(connectionFailure: kind),
        outcome: .channelFailed(isUnreachable: outcome.kind?.isUnreachable ?? false))
      return
    }
    let word = AttemptFailure.word(of: outcome.body)
    let told = ByteString(number: Int64(status)) + (word.isEmpty ? word : " " + word)
    // RFC 6749 §5.2: 400, or 401 for `invalid_client`; Baidu says it with other statuses too.
    if status == 400 || status == 401 || status == 403 || status == 200 && !word.isEmpty {
      self = .refusedKey("the vendor gives no access token for the key (" + told + ")")
      return
    }
    let answer = UpstreamError(status: status, retryAfter: nil, body: outcome.body)
    let isPassing =
      status >= 300 && (answer.kind == .rateLimited || answer.kind == .upstreamServer)
    self.init(
      kind: isPassing ? answer.kind : .badAnswer,
      text: "no access token: the vendor answered " + told,
      error: isPassing ? answer.converted : RelayError(connectionFailure: .badAnswer),
      outcome: isPassing ? answer.outcome : .channelFailed(isUnreachable: false))
  }

  /// The error's code, where it is one and no text that could hold a part of the key.
  private static func word(of body: Buffer) -> ByteString {
    guard let word = JSONQuery.string(["error"], in: body.readable), word.count <= 40,
      word.bytes.allSatisfy({ ASCII.isLetter($0) || $0 == UInt8(ascii: "_") })
    else { return .empty }
    return word
  }
}
