// SPDX-License-Identifier: MIT
import MiniJSON
import Platform
import Vendors

/// A chat request that is written in a vendor's own format, for one channel after the other.
///
/// The client's body is read once and kept for retries until the answer has begun.
final class ChatConversion {
  /// What the client asked for; nil as long as the request has only been passed on.
  private(set) var request: ChatRequest?
  /// What the vendor's reader and head are told in the attempt under way.
  private(set) var facts = CallFacts()
  /// The body of the attempt under way.
  private(set) var body = Buffer()
  /// Bytes that are counted as held, beside the client's body.
  var accountedByteCount: Int64 = 0
  private let target: RelayTarget
  private let model: ByteString
  private let isStream: Bool

  /// - Parameters:
  ///   - target: the client's call.
  ///   - model: the name that the client asked for.
  ///   - isStream: whether the client wants a stream.
  init(_ target: RelayTarget, model: ByteString, isStream: Bool) {
    self.target = target
    self.model = model
    self.isStream = isStream
  }

  /// Reads the client's body, unless that has been done.
  private func read(_ text: Buffer) throws(ChatProblem) {
    guard request == nil else { return }
    let root: JSONValue
    do throws(JSONError) {
      root = try JSONDocument(text, requiresObject: true).root
    } catch {
      throw ChatProblem("The request body is " + error.message + ".")
    }
    var read = try target.dialect.read(root)
    read.model = model
    read.isStream = isStream
    request = read
  }

  /// Writes the body for a vendor.
  ///
  /// `text`: the client's body, whole.
  func encode(_ text: Buffer, for vendor: Vendor, _ facts: CallFacts) throws(ChatProblem) {
    try read(text)
    guard let request else { return }
    let dialect = vendor.dialect(for: target)
    try request.check(
      writes: dialect.writes, drops: dialect.drops, vendor: vendor.name,
      names: target.dialect.fieldNames)
    self.facts = facts
    self.facts.isStream = isStream || dialect.alwaysStreams
    // The connection of an earlier attempt may still hold its body.
    body = Buffer()
    try dialect.encode(request, self.facts, body)
    if vendor.isOpenAI {
      body = RequestQuirks.edited(
        body, for: vendor, model: facts.model, isStream: self.facts.isStream)
    }
  }

  /// Takes a body that is passed on.
  func pass(_ body: Buffer, _ facts: CallFacts) {
    self.facts = facts
    self.facts.isStream = isStream
    self.body = body
  }

  /// The token that the attempt under way was made with; empty for none.
  var accessToken: ByteString { facts.accessToken }

  /// The call's head.
  func head(_ dialect: Dialect, _ accessToken: ByteString) throws(ChatProblem) -> CallHead {
    facts.accessToken = accessToken
    facts.now = UnixTime.seconds
    facts.random = Random.number()
    facts.body = body
    defer { facts.body = nil }
    return try dialect.head(facts)
  }

  /// Makes the reader of the attempt's answer; `repair`, `codes`: of the vendor's row.
  func makeAnswer(
    _ dialect: Dialect, _ answerFacts: AnswerFacts, passes: Bool, repair: AnswerRepair?,
    codes: StaticString
  ) -> ChatPassage {
    var answerFacts = answerFacts
    answerFacts.includesUsage = request?.includesUsage ?? false
    answerFacts.request = request.map { ChatConversion.settings(of: $0) }
    return ChatPassage(
      framing: dialect.framing, errors: dialect.errors, decoder: dialect.makeDecoder(facts),
      writer: target.dialect.makeWriter(answerFacts), passes: passes, isStream: isStream,
      repair: repair, codes: codes)
  }

  /// A request without the conversation, which would live as long as the answer: what protocols
  /// repeat in their answers are the settings and the instructions.
  private static func settings(of request: ChatRequest) -> ChatRequest {
    var request = request
    request.messages.removeAll { $0.role != .system }
    request.texts = []
    return request
  }

  /// The answer has begun: no further attempt will be made.
  func release() {
    request = nil
    body = Buffer()
    accountedByteCount = 0
  }
}
