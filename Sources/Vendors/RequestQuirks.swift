// SPDX-License-Identifier: MIT
import MiniJSON
import Platform

/// What a vendor's row changes in requests: in those that pass to it as they are, and in those that
/// are written for it.
package enum RequestQuirks {
  /// A member of the request and what becomes of it.
  private struct Member {
    let name: ByteString
    let key: Range<Int>
    let value: Range<Int>
    /// In place of key and value; empty: the member goes; nil: it stays.
    var replacement: ByteString?
  }

  /// Adds the edits that the row asks for.
  ///
  /// - Parameters:
  ///   - text: the whole request, accepted by a `JSONScanner`.
  ///   - vendor: whose row it is.
  ///   - model: the upstream's name.
  ///   - isStream: whether a stream is asked for.
  ///   - hints: of `ConvertedHints`; empty for requests in the client's own words.
  ///   - splice: gets the edits.
  package static func edit(
    _ text: UnsafeRawBufferPointer, for vendor: Vendor, model: ByteString, isStream: Bool,
    hints: StaticString = "", _ splice: inout JSONSplice
  ) {
    guard vendor.editsRequests || hints.utf8CodeUnitCount > 0 else { return }
    var members = self.members(text)
    for index in members.indices { mark(index, &members, text, vendor, hints) }
    apply(members, &splice)
    if vendor.quirks.contains(.thinksInStreams), !isStream, thinks(model),
      let last = members.last, members.contains(where: { $0.name == "messages" }),
      !members.contains(where: { $0.name == "enable_thinking" })
    {
      _ = splice.insert(",\"enable_thinking\":false", at: last.value.upperBound)
    }
  }

  /// A request that was written for a vendor, with the edits made.
  package static func edited(
    _ body: Buffer, for vendor: Vendor, model: ByteString, isStream: Bool
  ) -> Buffer {
    var splice = JSONSplice()
    edit(
      body.readable, for: vendor, model: model, isStream: isStream,
      hints: ConvertedHints.edits(vendor, model: model), &splice)
    if splice.isEmpty { return body }
    let output = Buffer()
    output.reserve(body.count + 64)
    body.withReadable { splice.apply($0, to: output) }
    splice.finish(to: output)
    return output
  }

  private static func members(_ text: UnsafeRawBufferPointer) -> [Member] {
    var members: [Member] = []
    var cursor = JSONMemberCursor(text)
    while cursor.advance() {
      let name = JSONString.unescaped(UnsafeRawBufferPointer(rebasing: text[cursor.key]))
      members.append(Member(name: name ?? .empty, key: cursor.key, value: cursor.value))
    }
    return members
  }

  /// Says what becomes of one member.
  private static func mark(
    _ index: Int, _ members: inout [Member], _ text: UnsafeRawBufferPointer, _ vendor: Vendor,
    _ hints: StaticString
  ) {
    let member = members[index]
    let lexeme = ByteString(UnsafeRawBufferPointer(rebasing: text[member.value]))
    if vendor.quirks.contains(.namesThinking), member.name == "reasoning_effort",
      lexeme == "\"minimal\"" || lexeme == "\"none\"",
      !members.contains(where: { $0.name == "thinking" })
    {
      members[index].replacement = "\"thinking\":{\"type\":\"disabled\"}"
    }
    let usual = Vendor.replacement(of: member.name, in: hints)
    let own = Vendor.replacement(of: usual ?? member.name, in: vendor.requestEdits)
    guard let name = own ?? usual else { return }
    guard !name.isEmpty else {
      members[index].replacement = .empty
      return
    }
    // The newer name wins over the older.
    for other in members.indices where members[other].name == name {
      members[other].replacement = .empty
    }
    members[index].replacement = "\"" + name + "\":" + lexeme
  }

  /// A member that goes takes one comma along: the one before it, or, when nothing that stays comes
  /// before, the one behind.
  private static func apply(_ members: [Member], _ splice: inout JSONSplice) {
    var hasKept = false
    for (index, member) in members.enumerated() {
      guard let replacement = member.replacement, replacement.isEmpty else {
        hasKept = true
        if let replacement = member.replacement {
          _ = splice.replace(member.key.lowerBound..<member.value.upperBound, with: replacement)
        }
        continue
      }
      let start = hasKept ? members[index - 1].value.upperBound : member.key.lowerBound
      let next = index + 1 < members.count ? members[index + 1].key.lowerBound : nil
      let end = hasKept ? member.value.upperBound : next ?? member.value.upperBound
      _ = splice.replace(start..<end, with: .empty)
    }
  }

  /// Whether it is one of Qwen's open models, which think unless told otherwise: `qwen3-32b`,
  /// `qwen3-235b-a22b`.
  private static func thinks(_ model: ByteString) -> Bool {
    guard model.starts(with: "qwen3-"), model.bytes.span.firstIndex(of: "thinking") == nil else {
      return false
    }
    return model.list(separatedBy: UInt8(ascii: "-")).contains { part in
      part.bytes.last == UInt8(ascii: "b") && part.bytes.contains(where: ASCII.isDigit)
    }
  }
}

extension Vendor {
  /// Whether its row changes requests.
  package var editsRequests: Bool {
    requestEdits.utf8CodeUnitCount > 0
      || !quirks.isDisjoint(with: [.thinksInStreams, .namesThinking])
  }

  /// Whether it accepts `stream_options`.
  package var takesStreamOptions: Bool {
    Vendor.replacement(of: "stream_options", in: requestEdits) == nil
  }

  /// Whether its row changes answers.
  package var repairsAnswers: Bool {
    finishReasons.utf8CodeUnitCount > 0
      || !quirks.isDisjoint(
        with: [
          .deployments, .sparseAnswers, .namesReasoning, .repeatsAnswer, .reasoningApart,
          .contentParts,
        ])
  }
}
