// SPDX-License-Identifier: MIT
import MiniJSON
import Platform

/// What to do with a failed call.
package enum FailureAction: Sendable {
  /// The request is wrong: the client is told, no other channel is tried.
  case client
  /// It may pass: this channel again or another one.
  case retry
  /// This key or channel cannot serve it now.
  case failover
  /// The key or account is dead.
  case disable
  /// The short-lived access token is stale: a new one, and once more.
  case refresh
}

/// What a failure means, where that decides what the client is told.
package enum FailureMeaning: Sendable {
  case unspecified
  /// 400 `context_length_exceeded`.
  case contextTooLong
  /// 400 `content_filter`.
  case contentRefused
  /// 404 `model_not_found`; of this channel only.
  case modelMissing
  /// 429 `rate_limit_exceeded`.
  case tooManyRequests
  /// The channel's key: 502 `upstream_auth_failed`.
  case keyRefused
  /// The channel's account: 502 `upstream_quota_exhausted`.
  case accountEmpty
  /// 503.
  case overloaded
  /// 504.
  case timeout
  /// 502.
  case broken
}

/// One line of a vendor's table of errors; the first line that fits counts.
package struct ErrorRule: Sendable {
  /// The HTTP status; 0 for any.
  package let status: Int
  /// An exact code, as a string or a number; its beginning when it ends with `*`; empty for any.
  package let code: StaticString
  /// Words that the message must hold, ASCII case ignored; empty for any.
  ///
  /// Only where the vendor has no code.
  package let phrase: StaticString
  package let action: FailureAction
  package let meaning: FailureMeaning

  /// Makes a line.
  package init(
    _ status: Int, _ code: StaticString, _ action: FailureAction,
    _ meaning: FailureMeaning = .unspecified, phrase: StaticString = ""
  ) {
    self.status = status
    self.code = code
    self.action = action
    self.meaning = meaning
    self.phrase = phrase
  }
}

/// Where a vendor puts what is wrong, and what its codes mean.
package struct ErrorFormat: Sendable {
  /// Paths of members, with dots between (`error.code`), looked at in order.
  package let codes: [StaticString]
  package let messages: [StaticString]
  package let rules: [ErrorRule]
  /// The header field with the code, up to a colon; empty for none.
  package let codeField: StaticString

  /// Makes a format.
  package init(
    codes: [StaticString], messages: [StaticString], rules: [ErrorRule],
    codeField: StaticString = ""
  ) {
    self.codeField = codeField
    self.codes = codes
    self.messages = messages
    self.rules = rules
  }
}

/// An error as a vendor reported it, judged.
package struct ErrorAnswer {
  /// The HTTP status; 200 for an error inside an answer.
  package let status: Int
  /// The vendor's sentence; may be empty.
  package let message: ByteString
  /// The vendor's code; may be empty.
  package let code: ByteString
  package let action: FailureAction
  package let meaning: FailureMeaning

  /// Makes one that needs no judging.
  package init(
    status: Int, message: ByteString, code: ByteString = .empty, action: FailureAction,
    meaning: FailureMeaning
  ) {
    self.status = status
    self.message = message
    self.code = code
    self.action = action
    self.meaning = meaning
  }

  /// Judges a body by a vendor's table, then by the status.
  ///
  /// `body`: any text; one that is neither a JSON object nor an event stream that ends with one
  /// has neither code nor message.
  ///
  /// `code`: the value of the format's `codeField`.
  package init(
    status: Int, body: ByteString, format: ErrorFormat, code: ByteString = .empty
  ) {
    // Vendors frame errors as events also where the head says JSON.
    var events: [StreamEvent] = []
    let framer = StreamFraming.events.makeFramer()
    _ = framer.read(body.bytes.span, into: &events) && framer.end(into: &events)
    let answer = StreamEvent(data: body).json ?? events.last?.json
    self.init(status: status, answer: answer, format: format, code: code)
  }

  /// As above, for a body that is parsed already.
  package init(
    status: Int, answer: JSONValue?, format: ErrorFormat, code: ByteString = .empty
  ) {
    self.status = status
    message = ErrorAnswer.find(format.messages, in: answer).first ?? .empty
    var codes = ErrorAnswer.find(format.codes, in: answer)
    let code = code.split(at: UInt8(ascii: ":"))?.before ?? code
    if !code.isEmpty { codes.append(code) }
    for rule in format.rules {
      guard rule.status == 0 || rule.status == status else { continue }
      guard let code = ErrorAnswer.match(rule.code, codes) else { continue }
      guard ErrorAnswer.contains(message, rule.phrase) else { continue }
      self.code = code
      action = rule.action
      meaning = rule.meaning
      return
    }
    self.code = codes.first ?? .empty
    (action, meaning) = ErrorAnswer.judge(status)
  }

  /// What a status means where the vendor says nothing else.
  package static func judge(_ status: Int) -> (FailureAction, FailureMeaning) {
    switch status {
    case 401: (.disable, .keyRefused)
    case 402: (.disable, .accountEmpty)
    case 403: (.failover, .keyRefused)
    case 404: (.failover, .modelMissing)
    case 408, 504: (.retry, .timeout)
    case 429: (.failover, .tooManyRequests)
    case 503, 529: (.retry, .overloaded)
    case 200, 300...399, 500...599: (.retry, .broken)
    default: (.client, .unspecified)
    }
  }

  /// The code that the rule's one equals; empty for a rule without; nil when there is none.
  private static func match(_ wanted: StaticString, _ codes: [ByteString]) -> ByteString? {
    if wanted.utf8CodeUnitCount == 0 { return codes.first ?? .empty }
    for code in codes where code == wanted || isBeginning(wanted, of: code) { return code }
    return nil
  }

  private static func isBeginning(_ wanted: StaticString, of code: ByteString) -> Bool {
    let count = wanted.utf8CodeUnitCount - 1
    guard wanted.utf8Start[count] == UInt8(ascii: "*"), code.count >= count else { return false }
    return (0..<count).allSatisfy { code[$0] == wanted.utf8Start[$0] }
  }

  private static func contains(_ message: ByteString, _ phrase: StaticString) -> Bool {
    phrase.utf8CodeUnitCount == 0 || message.lowercased.bytes.span.firstIndex(of: phrase) != nil
  }

  /// Strings and numbers at the paths, in their order.
  private static func find(_ paths: [StaticString], in root: JSONValue?) -> [ByteString] {
    var found: [ByteString] = []
    for path in paths {
      guard let value = root?.at(path) else { continue }
      if let text = value.string {
        if !text.isEmpty { found.append(text) }
      } else if value.kind == .number {
        found.append(value.lexeme)
      }
    }
    return found
  }
}

extension JSONValue {
  /// The value at a path of members with dots between; of arrays the first element counts.
  @inline(never)
  func at(_ path: StaticString) -> JSONValue? {
    var value: JSONValue? = self
    for key in ByteString(path).list(separatedBy: UInt8(ascii: ".")) {
      value = value?.kind == .array ? value?.element(0) : value
      value = value?.member(key)
    }
    return value
  }
}
