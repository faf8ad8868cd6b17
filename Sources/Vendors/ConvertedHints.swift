// SPDX-License-Identifier: MIT
import Platform

/// What becomes of settings that clients of other protocols make by habit, and that OpenAI's models
/// or strict servers answer with an error.
///
/// An OpenAI client knows what its model takes. A client of another protocol cannot: there,
/// `top_k`, a limit and thoughts are usual with every model.
enum ConvertedHints {
  /// Edits in the form of `Vendor.requestEdits`; empty for none.
  static func edits(_ vendor: Vendor, model: ByteString) -> StaticString {
    let name = ConvertedHints.name(model)
    if reasons(name) {
      return """
        max_tokens>max_completion_tokens top_k> temperature> top_p> presence_penalty> \
        frequency_penalty>
        """
    }
    // Older API versions of Azure know the newer limit for the newer models only.
    if vendor.quirks.contains(.limitsCompletions), !name.starts(with: "gpt-3"),
      !name.starts(with: "gpt-4")
    {
      return "max_tokens>max_completion_tokens top_k> reasoning_effort>"
    }
    guard !vendor.quirks.isDisjoint(with: [.isStrict, .limitsCompletions]) else { return "" }
    return name.starts(with: "gpt-oss") ? "top_k>" : "top_k> reasoning_effort>"
  }

  /// The effort that a model knows in place of another; each knows the three in the middle.
  static func effort(_ effort: ChatReasoning.Effort, model: ByteString) -> ChatReasoning.Effort {
    let name = ConvertedHints.name(model)
    guard reasons(name) else { return effort }
    if effort == .none, name.starts(with: "gpt-5.") { return .none }
    return effort == .xhigh ? .high : effort == .none || effort == .minimal ? .low : effort
  }

  /// The model's name without the publisher's, as in `openai/gpt-5`.
  private static func name(_ model: ByteString) -> ByteString {
    guard let slash = model.bytes.lastIndex(of: UInt8(ascii: "/")) else { return model }
    return ByteString(Array(model.bytes[(slash + 1)...]))
  }

  /// Whether it is one of OpenAI's models that think first: `o3`, `o4-mini`, `gpt-5`, `gpt-5.2`.
  private static func reasons(_ name: ByteString) -> Bool {
    if name.starts(with: "gpt-5") { return name.bytes.span.firstIndex(of: "-chat") == nil }
    return name.count >= 2 && name[0] == UInt8(ascii: "o") && ASCII.isDigit(name[1])
      && (name.count == 2 || name[2] == UInt8(ascii: "-"))
  }
}
