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

extension FailureAction {
  /// The action of that word in a table.
  fileprivate init(_ word: ByteString) {
    if word == "retry" {
      self = .retry
    } else if word == "failover" {
      self = .failover
    } else if word == "disable" {
      self = .disable
    } else {
      self = word == "refresh" ? .refresh : .client
    }
  }
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

extension FailureMeaning {
  /// The meaning of that word in a table.
  init(_ word: ByteString) {
    if word == "account" {
      self = .accountEmpty
    } else if word == "key" {
      self = .keyRefused
    } else if word == "model" {
      self = .modelMissing
    } else if word == "rate" {
      self = .tooManyRequests
    } else if word == "content" {
      self = .contentRefused
    } else if word == "length" {
      self = .contextTooLong
    } else if word == "busy" {
      self = .overloaded
    } else if word == "timeout" {
      self = .timeout
    } else {
      self = word == "failed" ? .broken : .unspecified
    }
  }
}

/// Where a vendor puts what is wrong, and what its codes mean.
///
/// Texts only, so that the tables are data and no code. A line of `rules` is an action, a meaning
/// (as in `VendorErrors`) and what they are for: `disable key|401:|invalid_api_key|auth*`. Each of
/// these is an HTTP status and a colon, a code (exact, or its beginning and `*`), or both; after
/// `~` come words that the message must hold, for vendors without a code. The first that fits
/// counts.
package struct ErrorFormat: Sendable {
  /// Paths of members, with dots between (`error.code`), looked at in order; separated by spaces.
  package let codes: StaticString
  package let messages: StaticString
  package let rules: StaticString
  /// The header field with the code, up to a colon; empty for none.
  package let codeField: StaticString
  /// The code that says that an access token is stale, whatever `rules` say; empty for none.
  private(set) var staleCode: StaticString = ""

  /// Makes a format.
  package init(
    codes: StaticString, messages: StaticString, rules: StaticString,
    codeField: StaticString = ""
  ) {
    self.codes = codes
    self.messages = messages
    self.rules = rules
    self.codeField = codeField
  }

  /// The same for a vendor that takes access tokens.
  func refreshing(_ code: StaticString) -> ErrorFormat {
    var format = self
    format.staleCode = code
    return format
  }

  /// The code that decides, with what it means; nil when no line fits.
  fileprivate func find(
    _ status: Int, _ codes: [ByteString], _ message: ByteString
  ) -> (code: ByteString, action: FailureAction, meaning: FailureMeaning)? {
    for code in codes where staleCode.utf8CodeUnitCount > 0 && code == staleCode {
      return (code, .refresh, .keyRefused)
    }
    let sentence = message.lowercased
    for line in ByteString(rules).list(separatedBy: 0x0A) {
      let words = line.list(separatedBy: UInt8(ascii: "|"))
      for word in words.dropFirst() {
        guard let code = ErrorFormat.match(word, status, codes, sentence) else { continue }
        let (action, meaning) = words[0].split(at: 0x20) ?? (words[0], .empty)
        return (code, FailureAction(action), FailureMeaning(meaning))
      }
    }
    return nil
  }

  /// The code that fits one entry of a line, empty without codes; nil when it does not fit.
  private static func match(
    _ word: ByteString, _ status: Int, _ codes: [ByteString], _ sentence: ByteString
  ) -> ByteString? {
    var (wanted, phrase) = word.split(at: UInt8(ascii: "~")) ?? (word, .empty)
    if let (number, rest) = wanted.split(at: UInt8(ascii: ":")), let number = number.decimal {
      guard number == Int64(status) else { return nil }
      wanted = rest
    }
    guard holds(sentence, phrase) else { return nil }
    if wanted.isEmpty { return codes.first ?? .empty }
    let isBeginning = wanted.bytes.last == UInt8(ascii: "*")
    for code in codes
    where isBeginning ? code.bytes.starts(with: wanted.bytes.dropLast()) : code == wanted {
      return code
    }
    return nil
  }

  private static func holds(_ sentence: ByteString, _ phrase: ByteString) -> Bool {
    guard sentence.count >= phrase.count else { return false }
    return (0...(sentence.count - phrase.count)).contains {
      sentence.bytes[$0..<($0 + phrase.count)].elementsEqual(phrase.bytes)
    }
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
    if let found = format.find(status, codes, message) {
      (self.code, action, meaning) = found
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

  /// Strings and numbers at the paths, in their order.
  private static func find(_ paths: StaticString, in root: JSONValue?) -> [ByteString] {
    var found: [ByteString] = []
    for path in ByteString(paths).list(separatedBy: 0x20) {
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
  func at(_ path: ByteString) -> JSONValue? {
    var value: JSONValue? = self
    for key in path.list(separatedBy: UInt8(ascii: ".")) {
      value = value?.kind == .array ? value?.element(0) : value
      value = value?.member(key)
    }
    return value
  }
}
