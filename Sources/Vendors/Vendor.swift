// SPDX-License-Identifier: MIT
import Platform

/// One kind of upstream: what a channel of this type speaks, and its defaults.
///
/// Vendors that speak OpenAI's format differ only in these facts, so each is one row of
/// `VendorRegistry`. Texts only, so that the compiler makes static data of the table; what is a
/// list is one text, split where it is needed.
package struct Vendor: Sendable {
  /// The channel type's slug, stored in databases: never rename.
  package let slug: StaticString
  /// For people.
  package let name: StaticString
  /// Where the facts were read; for the owner's eyes as well.
  package let documentation: StaticString
  /// Used when the channel has none; empty when the owner must give one.
  ///
  /// `{name}` stands for the channel's setting of that name.
  package var defaultBaseURL: StaticString = ""
  /// The form of a key in words, such as `sk-…`; empty when it has no form of its own.
  package var keyForm: StaticString = ""
  /// Whether a channel works without a key, as local servers do.
  package var isKeyOptional = false
  /// How a key is sent: the beginning of its header line.
  package var keyHeader: StaticString = "Authorization: Bearer "
  /// What it can do, separated by spaces.
  package var taskList: StaticString = "chat"
  /// Models of a channel that lists none, separated by spaces; empty for any model asked for.
  package var modelList: StaticString = ""
  /// Settings of its channels: a line of `VendorField` for each.
  package var fieldList: StaticString = ""
  /// Calls with other paths than OpenAI's: `call>path`, separated by spaces.
  package var callPaths: StaticString = ""
  /// Members of requests that it knows by other names, `from>to`, or that it refuses and its own
  /// SDK never sends, `from>`; separated by spaces.
  package var requestEdits: StaticString = ""
  /// Finish reasons of its own, `theirs>OpenAI's`; `theirs>` means that the upstream failed.
  package var finishReasons: StaticString = ""
  /// What its error codes mean: a line of `VendorErrors` for each meaning.
  package var errorCodes: StaticString = ""
  /// What its requests and answers need beyond that.
  package var quirks: VendorQuirks = []
  /// How it tells the account's balance; nil when it does not.
  package var balance: BalanceCall?
  /// How it lists its models: path, member with the array, member of its elements with the name,
  /// separated by spaces; empty for OpenAI's call, or for none where it speaks another format.
  package var modelCall: StaticString = ""
  /// What its chat calls speak.
  package var speaks = DialectKind.openAI

  /// What its chat calls speak, as functions and tables.
  package var dialect: Dialect { speaks.dialect }

  /// Used when the channel lists no models; empty means that it serves any model asked for.
  package var models: [ByteString] { ByteString(modelList).list(separatedBy: 0x20) }

  /// Path, array and name of `modelCall`; empty when the vendor lists no models.
  package var modelListing: [ByteString] {
    let list = ByteString(modelCall).list(separatedBy: 0x20)
    return list.isEmpty && speaks == .openAI ? ["/models", "data", "id"] : list
  }

  /// What it can do, such as `chat`.
  package var tasks: [ByteString] { ByteString(taskList).list(separatedBy: 0x20) }

  /// Settings of its channels, in the order of a form.
  package var fields: [VendorField] {
    ByteString(fieldList).list(separatedBy: 0x0A).map { VendorField($0) }
  }

  /// What follows `key>` in a list of `from>to`; nil when the list does not have it.
  @inline(never)
  package static func replacement(of key: ByteString, in list: StaticString) -> ByteString? {
    if list.utf8CodeUnitCount == 0 { return nil }
    for pair in ByteString(list).list(separatedBy: 0x20) {
      if let (from, to) = pair.split(at: UInt8(ascii: ">")), from == key { return to }
    }
    return nil
  }
}

/// What a vendor's requests and answers need beyond names and codes.
package struct VendorQuirks: OptionSet, Sendable {
  package let rawValue: UInt16

  package init(rawValue: UInt16) { self.rawValue = rawValue }

  /// The model is in the path (Azure).
  package static let deployments = VendorQuirks(rawValue: 1)
  /// Answers lack members that OpenAI's clients need (Spark).
  package static let sparseAnswers = VendorQuirks(rawValue: 2)
  /// Reasoning comes as `reasoning`; clients look for `reasoning_content`.
  package static let namesReasoning = VendorQuirks(rawValue: 4)
  /// The last event of a stream repeats the whole answer (MiniMax).
  package static let repeatsAnswer = VendorQuirks(rawValue: 8)
  /// Completion tokens do not include reasoning (xAI).
  package static let reasoningApart = VendorQuirks(rawValue: 16)
  /// Thinking must be switched off for answers that are no streams (Qwen's open models).
  package static let thinksInStreams = VendorQuirks(rawValue: 32)
  /// An effort of `none` or `minimal` is written as `thinking` (Doubao).
  package static let namesThinking = VendorQuirks(rawValue: 64)
  /// The content of a message may be an array of parts (Mistral).
  package static let contentParts = VendorQuirks(rawValue: 128)
  /// Members that it does not know are errors: `top_k`, an effort for models that do not reason.
  package static let isStrict = VendorQuirks(rawValue: 256)
  /// As before, and the answer's limit is `max_completion_tokens` (OpenAI).
  package static let limitsCompletions = VendorQuirks(rawValue: 512)
}

/// Where calls go below a channel's base URL.
extension Vendor {
  /// The path of an API call below a channel's base URL path.
  ///
  /// A base URL may be given with the whole of the vendor's path, with its beginning, without it,
  /// or with a version segment (`/v1`, `/v3`, `/v1beta`) of its own; clients of One API write it
  /// without. One that ends with a call (`/chat/completions`) says exactly where calls go.
  package func path(below base: ByteString, _ call: StaticString) -> ByteString {
    prefix(below: base) + callPath(call)
  }

  /// A base URL's path without its version segment, for calls beside the versioned ones.
  static func pathWithoutVersion(_ base: ByteString) -> ByteString {
    guard Vendor.endsWithVersion(base), let slash = base.bytes.lastIndex(of: UInt8(ascii: "/"))
    else { return base }
    return ByteString(Array(base.bytes[..<slash]))
  }

  /// The path of a call on Azure's classic route, where the deployment is part of it; nil on the
  /// route that is like OpenAI's, for a base URL with a version or without `api-version`.
  package func deploymentPath(
    below base: ByteString, _ call: StaticString, deployment: ByteString, version: ByteString
  ) -> ByteString? {
    guard quirks.contains(.deployments), !version.isEmpty, !Vendor.endsWithVersion(base) else {
      return nil
    }
    var path = Vendor.joined(base, "/openai")
    if !deployment.isEmpty {
      path = path + "/deployments/"
      for byte in deployment.bytes {
        path = path + (byte == UInt8(ascii: "/") ? "%2F" : ByteString([byte]))
      }
    }
    return path + ByteString(call) + "?api-version=" + version
  }

  private func callPath(_ call: StaticString) -> ByteString {
    let call = ByteString(call)
    return Vendor.replacement(of: call, in: callPaths) ?? call
  }

  private func prefix(below base: ByteString) -> ByteString {
    let chat = callPath("/chat/completions")
    if base.bytes.count >= chat.count, base.bytes.suffix(chat.count).elementsEqual(chat.bytes) {
      return ByteString(Array(base.bytes.dropLast(chat.count)))
    }
    let own = defaultPath
    let joined = Vendor.joined(base, own)
    // A version that is not the vendor's is the owner's will.
    if joined.count == base.count + own.count, Vendor.endsWithVersion(base) { return base }
    return joined
  }

  /// The path of the default base URL; that of OpenAI's where there is none.
  private var defaultPath: ByteString {
    let url = ByteString(defaultBaseURL)
    if url.isEmpty { return quirks.contains(.deployments) ? "/openai/v1" : "/v1" }
    var slashes = 0
    for (index, byte) in url.bytes.enumerated() where byte == UInt8(ascii: "/") {
      slashes += 1
      if slashes == 3 { return ByteString(Array(url.bytes[index...])) }
    }
    return .empty
  }

  /// `path` behind `base`, without segments of its beginning that `base` ends with.
  @inline(never)
  static func joined(_ base: ByteString, _ path: ByteString) -> ByteString {
    for end in stride(from: path.count, to: 0, by: -1)
    where end == path.count || path[end] == UInt8(ascii: "/") {
      guard base.count >= end else { continue }
      if base.bytes.suffix(end).elementsEqual(path.bytes.prefix(end)) {
        return base + ByteString(Array(path.bytes.dropFirst(end)))
      }
    }
    return base + path
  }

  private static func endsWithVersion(_ base: ByteString) -> Bool {
    guard let slash = base.bytes.lastIndex(of: UInt8(ascii: "/")) else { return false }
    let segment = base.bytes[(slash + 1)...]
    guard segment.count >= 2, segment.first == UInt8(ascii: "v") else { return false }
    return ASCII.isDigit(segment[segment.startIndex + 1])
  }
}
