// SPDX-License-Identifier: MIT
import MiniJSON
import Platform

/// A chat request as every dialect can be read into it and written from it: the hub model.
///
/// Texts are plain (unescaped UTF-8); numbers are the client's lexemes, so that nothing is rounded;
/// schemas and arguments are JSON text.
package struct ChatRequest {
  /// The name that the client asked for.
  package var model = ByteString.empty
  package var isStream = false
  /// The client asked for a usage event of its own (OpenAI's `stream_options.include_usage`).
  package var includesUsage = false
  package var messages: [ChatMessage] = []
  package var tools: [ChatTool] = []
  package var toolChoice = ChatToolChoice.unspecified
  /// Longest answer in tokens; nil without a limit.
  package var maxTokens: Int64? { didSet { maxTokens = ChatRequest.clamped(maxTokens) } }
  package var temperature: ByteString?
  package var topP: ByteString?
  package var topK: ByteString?
  package var seed: ByteString?
  package var presencePenalty: ByteString?
  package var frequencyPenalty: ByteString?
  /// Texts at which the answer ends.
  package var stop: [ByteString] = []
  package var format = ChatFormat.unspecified
  /// How long the model may think; nil when the client does not say.
  package var reasoning: ChatReasoning?
  /// Whether several tools may be called at once; nil when the client does not say.
  package var allowsParallelTools: Bool?
  package var user = ByteString.empty
  /// Of a request for vectors: what they are to be of, their length, and in Google's words what
  /// for; empty when the client does not say.
  package var texts: [ByteString] = []
  package var dimensions: ByteString?
  package var purpose = ByteString.empty

  /// What of the request a dialect must be able to express.
  package var fields: ChatFields = []
  /// The first field that the hub model does not know; empty when there is none.
  package var unknownField = ByteString.empty

  /// Makes an empty request.
  package init() {}

  /// A client's count of tokens, small enough to be added to others.
  @inline(never)
  static func clamped(_ tokens: Int64?) -> Int64? { tokens.map { min(max(0, $0), 1_000_000_000) } }

  /// The texts of all system messages, joined with blank lines.
  package var systemText: ByteString {
    var text = ByteString.empty
    for message in messages where message.role == .system {
      let next = message.text
      if !next.isEmpty { text.append(next, behind: "\n\n") }
    }
    return text
  }
}

/// One turn of a conversation.
package struct ChatMessage {
  package enum Role: Sendable { case system, user, assistant, tool }

  package var role: Role
  package var parts: [ChatPart] = []
  /// Of an assistant's message.
  package var toolCalls: [ChatToolCall] = []
  /// Of a tool's message: the call that it answers.
  package var toolCallID = ByteString.empty
  /// Of a tool's message: the called function; looked up by readers of dialects that name only
  /// the call.
  package var toolName = ByteString.empty
  /// Of a tool's message: the tool failed.
  package var isToolError = false
  /// Of an assistant's message: what it thought before, and the vendor's seal on it.
  package var reasoning = ByteString.empty
  package var reasoningSignature = ByteString.empty

  /// Makes a message without content.
  package init(_ role: Role) { self.role = role }

  /// Makes a message of one text.
  package init(_ role: Role, text: ByteString) {
    self.role = role
    if !text.isEmpty { parts = [.text(text)] }
  }

  /// The text parts, joined without separator.
  package var text: ByteString {
    var joined = ByteString.empty
    for case .text(let text) in parts { joined.append(text) }
    return joined
  }

  /// Whether there is anything but text in it.
  package var hasMedia: Bool {
    parts.contains { part in
      if case .text = part { return false }
      return true
    }
  }
}

/// A piece of a message's content.
package enum ChatPart {
  case text(ByteString)
  case image(ChatMedia)
  case audio(ChatMedia)
  case file(ChatMedia)
}

/// A picture, recording or document.
package struct ChatMedia {
  /// Such as `image/png`; may be empty beside a URL.
  package var mimeType = ByteString.empty
  /// Base64 without prefix; empty beside a URL.
  package var data = ByteString.empty
  /// http or https; empty beside data.
  package var url = ByteString.empty
  /// A file's name; may be empty.
  package var name = ByteString.empty
  /// OpenAI's `detail` of a picture; may be empty.
  package var detail = ByteString.empty

  /// Makes an empty one.
  package init() {}

  /// Reads `data:<type>;base64,<data>`, or takes the text as a URL.
  ///
  /// - Throws: for other data URLs, with the name of the client's field.
  package init(url text: ByteString, field: ByteString) throws(ChatProblem) {
    guard text.starts(with: "data:") else {
      url = text
      return
    }
    let (head, body) = text.split(at: UInt8(ascii: ",")) ?? (text, .empty)
    let words = head.list(separatedBy: UInt8(ascii: ";"))
    let type = ByteString(Array((words.first ?? .empty).bytes.dropFirst(5)))
    guard !type.isEmpty, words.count > 1, words[words.count - 1].lowercased == "base64",
      !body.isEmpty
    else {
      throw ChatProblem(
        "The field " + field + " has a data URL that is not data:<type>;base64,<data>.",
        field: field)
    }
    mimeType = type
    data = body
  }

  /// The media as one URL: itself, or a `data:` URL.
  package var dataURL: ByteString {
    url.isEmpty ? "data:" + mimeType + ";base64," + data : url
  }
}

/// A function that the model wants called.
package struct ChatToolCall {
  package var id: ByteString
  package var name: ByteString
  /// JSON text of an object; never empty.
  package var arguments: ByteString
  /// What the vendor wants back with the call (Gemini's thought signature); may be empty.
  package var signature = ByteString.empty

  /// Makes a call; empty arguments become `{}`.
  package init(id: ByteString, name: ByteString, arguments: ByteString) {
    self.id = id
    self.name = name
    self.arguments = arguments.isEmpty ? "{}" : arguments
  }

  /// The arguments as an object on one line: a model may write anything, such as when its answer
  /// was cut, which is handed on as the text `arguments` then.
  var argumentsObject: ByteString {
    if arguments.isEmpty { return "{}" }
    if (try? JSONDocument(arguments, requiresObject: true)) != nil {
      return DialectText.compact(arguments)
    }
    return "{\"arguments\":" + JSONString.lexeme(arguments) + "}"
  }
}

/// A function that the model may call.
package struct ChatTool {
  package var name: ByteString
  package var description = ByteString.empty
  /// JSON Schema of the arguments; empty when the client gave none.
  package var parameters = ByteString.empty
  package var isStrict: Bool?

  /// Makes a tool without parameters.
  package init(name: ByteString) { self.name = name }
}

/// Which tools must be called.
package enum ChatToolChoice: Equatable {
  case unspecified
  case auto
  case none
  /// At least one, whichever.
  case required
  case named(ByteString)
}

/// The form that the answer's text must have.
package enum ChatFormat {
  case unspecified
  case text
  case jsonObject
  /// `schema` is JSON text.
  case jsonSchema(name: ByteString, schema: ByteString, isStrict: Bool?)
}

/// How long the model may think before it answers.
package struct ChatReasoning: Equatable {
  package enum Effort: Int, Sendable { case none, minimal, low, medium, high, xhigh }

  package var effort: Effort
  /// Tokens for thinking; nil when only the effort is given.
  package let budgetTokens: Int64?
  /// Whether the client wants to see the thoughts.
  package var showsThoughts = true

  /// Makes one from an effort.
  package init(_ effort: Effort, budgetTokens: Int64? = nil) {
    self.effort = effort
    self.budgetTokens = ChatRequest.clamped(budgetTokens)
  }
}

extension ChatRequest {
  /// Adds a function that the model may call.
  ///
  /// `schema`: the member that describes its arguments.
  @inline(never)
  mutating func addTool(_ value: JSONValue, schema: StaticString) throws(ChatProblem) {
    guard let name = value.member("name")?.string, !name.isEmpty else {
      throw ChatProblem("Each function of tools needs a name.", field: "tools")
    }
    var tool = ChatTool(name: name)
    tool.description = value.member("description")?.string ?? .empty
    if let schema = value.member(schema), schema.kind == .object { tool.parameters = schema.lexeme }
    tool.isStrict = value.member("strict")?.bool
    tools.append(tool)
    fields.insert(.tools)
  }
}
